//! The editor of one file: the CodeMirror shim in `www/editor/editor.js`, typed.

use js_sys::{Object, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::*;
use web_sys::Element;

/// The bundle defines it on the global object; without the bundle, [`Shim::new`] fails.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = SocketpadEditor)]
    #[derive(Debug)]
    type Shim;

    #[wasm_bindgen(constructor, js_class = "SocketpadEditor", catch)]
    fn new(parent: &Element, options: &Object) -> Result<Shim, JsValue>;

    #[wasm_bindgen(method)]
    fn text(this: &Shim) -> String;

    #[wasm_bindgen(method, js_name = setText)]
    fn set_text(this: &Shim, text: &str);

    #[wasm_bindgen(method, js_name = setTheme)]
    fn set_theme(this: &Shim, dark: bool);

    #[wasm_bindgen(method)]
    fn focus(this: &Shim);

    #[wasm_bindgen(method)]
    fn destroy(this: &Shim);
}

/// How the page is lit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Dark text on light.
    Light,
    /// Light text on dark.
    Dark,
}

/// One editor on the page; dropping it takes it off.
#[derive(Debug)]
pub struct Editor {
    /// The shim's object.
    shim: Shim,
    /// What is called with every new text; the shim only borrows it.
    _changed: Closure<dyn FnMut(String)>,
}

/// The editor's script is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the editor's script was not loaded")]
pub struct NoEditor;

impl Editor {
    /// Draws an editor inside `parent`; `file` is its accessible name.
    pub fn new(
        parent: &Element,
        file: &str,
        text: &str,
        theme: Theme,
        changed: impl FnMut(String) + 'static,
    ) -> Result<Self, NoEditor> {
        let changed = Closure::new(changed);
        let options = Object::new();
        let entries = [
            ("doc", JsValue::from(text)),
            ("label", JsValue::from(file)),
            ("dark", JsValue::from(theme == Theme::Dark)),
            ("onChange", AsRef::<JsValue>::as_ref(&changed).clone()),
        ];
        for (key, value) in entries {
            Reflect::set(&options, &key.into(), &value).map_err(|_| NoEditor)?;
        }
        let shim = Shim::new(parent, &options).map_err(|_| NoEditor)?;
        Ok(Self {
            shim,
            _changed: changed,
        })
    }

    /// What the editor shows.
    pub fn text(&self) -> String {
        self.shim.text()
    }

    /// Shows another text; undo brings the old one back.
    pub fn set_text(&self, text: &str) {
        self.shim.set_text(text);
    }

    /// Follows the page's theme.
    pub fn set_theme(&self, theme: Theme) {
        self.shim.set_theme(theme == Theme::Dark);
    }

    /// Moves the focus into the editor.
    pub fn focus(&self) {
        self.shim.focus();
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        self.shim.destroy();
    }
}
