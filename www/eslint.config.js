// What every script of the page and of its build must satisfy.

import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2024, sourceType: "module" },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      curly: ["error", "multi-line"],
      eqeqeq: "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-shadow": "error",
      "no-throw-literal": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
    },
  },
  { files: ["eslint.config.js", "build/**"], languageOptions: { globals: globals.node } },
  { files: ["start.js", "editor/**"], languageOptions: { globals: globals.browser } },
  { files: ["process/**"], languageOptions: { globals: globals.worker } },
];
