//! `window.socketpad`: what tests, and later pages that embed this one, may ask of the page.
//!
//! | call | answer |
//! |---|---|
//! | `setText(file, text)` | shows a text in the editor of `file`; what runs is what the editor shows |
//! | `text(file)` | what the editor of `file` shows, or `undefined` |
//! | `console(process)` | everything in the console as shown, without the page's own sentences |
//! | `stdout(process)`, `stderr(process)` | what the program wrote there, as it wrote it, the newest 250,000 characters |
//! | `state(process)` | `idle`, `booting`, `starting`, `running`, `waiting`, `exited`, `failed` or `stopped` |
//! | `processes()` | the names of the processes, in the order in which they start |
//! | `addProcess()` | adds a client and answers with its name, or `undefined` when the page is full |
//!
//! A process or file that the page does not have answers `undefined`.

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::prelude::*;

use crate::model::console::Console;
use crate::model::message::Stream;
use crate::model::playground::{Event, Playground};
use crate::platform::conductor::Conductor;

/// Puts the calls on the window.
pub fn install(conductor: &Conductor) {
    let hook = Object::new();
    let page = conductor.clone();
    let set_text = Closure::<dyn Fn(String, String)>::new(move |file: String, text: String| {
        page.set_text(&file, &text);
    });
    put(&hook, "setText", &set_text.into_js_value());
    ask(&hook, "text", conductor, |page, file| {
        page.exchange().text(file).map(str::to_owned)
    });
    ask(&hook, "console", conductor, |page, name| {
        Some(console(page, name)?.text())
    });
    ask(&hook, "stdout", conductor, |page, name| {
        Some(console(page, name)?.stream(Stream::Stdout).to_owned())
    });
    ask(&hook, "stderr", conductor, |page, name| {
        Some(console(page, name)?.stream(Stream::Stderr).to_owned())
    });
    ask(&hook, "state", conductor, |page, name| {
        let id = page.exchange().process_named(name)?.id;
        Some(page.process(id)?.state().name().to_owned())
    });
    let page = conductor.clone();
    let processes = Closure::<dyn Fn() -> Array>::new(move || page.read(names));
    put(&hook, "processes", &processes.into_js_value());
    let page = conductor.clone();
    let add = Closure::<dyn Fn() -> Option<String>>::new(move || {
        let before = page.read(|page| page.exchange().processes().len());
        page.perform(Event::AddClient);
        page.read(|page| Some(page.exchange().processes().get(before)?.name.to_string()))
    });
    put(&hook, "addProcess", &add.into_js_value());
    put(&js_sys::global(), "socketpad", &hook);
}

/// Puts a call on the hook that answers from what the page knows.
fn ask(
    hook: &Object,
    name: &str,
    conductor: &Conductor,
    answer: impl Fn(&Playground, &str) -> Option<String> + 'static,
) {
    let page = conductor.clone();
    let call = Closure::<dyn Fn(String) -> Option<String>>::new(move |about: String| {
        page.catch_up();
        page.read(|page| answer(page, &about))
    });
    put(hook, name, &call.into_js_value());
}

fn console<'a>(page: &'a Playground, process: &str) -> Option<&'a Console> {
    page.console(page.exchange().process_named(process)?.id)
}

fn names(page: &Playground) -> Array {
    page.exchange()
        .processes()
        .iter()
        .map(|process| JsValue::from(process.name.as_str()))
        .collect()
}

fn put(object: &Object, name: &str, value: &JsValue) {
    let _always_true = Reflect::set(object, &name.into(), value);
}
