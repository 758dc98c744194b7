// Starts the page's wasm. Trunk writes the two addresses, which carry content hashes, into this script's own tag;
// a file instead of an inline script lets the page forbid inline scripts altogether.
const tag = document.querySelector("script[data-js][data-wasm]");
const { default: init } = await import(new URL(tag.dataset.js, document.baseURI).href);
await init({ module_or_path: new URL(tag.dataset.wasm, document.baseURI) });
