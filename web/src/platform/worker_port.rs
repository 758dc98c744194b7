//! A worker and its messages: objects of JavaScript on one side, [`Command`] and [`Report`] on the other.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, JsString, Object, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Event, MessageEvent, RequestInit, Worker, WorkerOptions, WorkerType};

use crate::model::message::{BootStep, Command, Program, Report, Stream};

/// Where the worker's script is, from the page's own address.
const SCRIPT: &str = "process/worker.js";

#[wasm_bindgen]
extern "C" {
    /// A message of a worker. A field that it lacks reads as `None`.
    type Message;

    #[wasm_bindgen(method, getter, js_name = type)]
    fn kind(this: &Message) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn step(this: &Message) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn engine(this: &Message) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn stream(this: &Message) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn text(this: &Message) -> Option<JsString>;
    #[wasm_bindgen(method, getter)]
    fn call(this: &Message) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn address(this: &Message) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn status(this: &Message) -> Option<i32>;
    #[wasm_bindgen(method, getter)]
    fn reason(this: &Message) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn pid(this: &Message) -> Option<u32>;

    /// What `onerror` is given; a script that cannot be loaded gives no message.
    type Breakdown;

    #[wasm_bindgen(method, getter)]
    fn message(this: &Breakdown) -> Option<String>;
}

/// The compiled module and the snapshot, which only workers look into.
#[derive(Debug, Clone)]
pub struct Engine(JsValue);

/// What comes out of a worker.
#[derive(Debug)]
pub enum Arrival {
    /// It said something.
    Report(Report),
    /// It printed something.
    Output(Stream, JsString),
    /// It handed over its engine.
    Engine(Engine),
}

/// A worker; dropping it terminates it.
#[derive(Debug)]
pub struct WorkerPort {
    /// The browser's worker.
    worker: Worker,
    /// The process that the relay has for it, while its program runs.
    pid: Rc<Cell<Option<u32>>>,
    /// The address of the relay, once the program was started.
    relay: RefCell<Option<String>>,
    /// Called for every message.
    _message: Closure<dyn FnMut(MessageEvent)>,
    /// Called when the worker breaks down.
    _error: Closure<dyn FnMut(Event)>,
}

/// What goes with a command but is no concern of the model.
#[derive(Debug, Clone, Copy)]
pub struct Attachments<'a> {
    /// The engine, when the page has one.
    pub engine: Option<&'a Engine>,
    /// The address of the relay.
    pub relay: &'a str,
}

impl WorkerPort {
    /// Creates a worker; `arrived` hears everything it says.
    pub fn create(
        name: &str,
        arrived: impl Fn(Arrival) + Clone + 'static,
    ) -> Result<Self, JsValue> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        options.set_name(name);
        let worker = Worker::new_with_options(SCRIPT, &options)?;
        let hear = arrived.clone();
        let pid = Rc::new(Cell::new(None));
        let running = Rc::clone(&pid);
        let message = Closure::new(move |event: MessageEvent| {
            let data = event.data();
            let message: &Message = data.unchecked_ref();
            match message.kind().as_deref() {
                Some("started") => running.set(message.pid()),
                Some("exit" | "failed" | "lost") => running.set(None),
                _ => {}
            }
            if let Some(arrival) = read(message) {
                hear(arrival);
            }
        });
        let error = Closure::new(move |event: Event| {
            // The page explains it; the browser need not log it as an error of the page as well.
            event.prevent_default();
            let report = match event.unchecked_ref::<Breakdown>().message() {
                Some(detail) if !detail.trim().is_empty() => Report::Crashed { detail },
                _ => Report::Unloaded,
            };
            arrived(Arrival::Report(report));
        });
        worker.set_onmessage(Some(message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(error.as_ref().unchecked_ref()));
        Ok(Self {
            worker,
            pid,
            relay: RefCell::default(),
            _message: message,
            _error: error,
        })
    }

    /// Tells the worker something.
    pub fn tell(&self, command: &Command, attached: Attachments<'_>) -> Result<(), JsValue> {
        if let Command::Start(_) = command {
            *self.relay.borrow_mut() = Some(attached.relay.to_owned());
        }
        self.worker.post_message(&write(command, attached))
    }

    /// Has the relay close every socket of the process now.
    ///
    /// The process's WebSocket goes with its worker, and mostly with a close frame. But Chromium lets a worker that
    /// computes go on for up to two seconds and drops the connection of one that has much to send, and Firefox that of
    /// one that computes; the relay would take that for a loss, and wait for the process to come back.
    pub fn kill(&self) {
        if let (Some(pid), Some(relay)) = (self.pid.take(), self.relay.take()) {
            kill(&relay, pid);
        }
    }
}

impl Drop for WorkerPort {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
        self.kill();
    }
}

/// Asks the relay to kill a process, even if the page is just being left.
fn kill(relay: &str, pid: u32) {
    // The address of the WebSocket is ws…/labs/…/process.
    let address = relay
        .strip_prefix("ws")
        .and_then(|rest| rest.split_once("/labs/"));
    let (Some(window), Some((host, lab))) = (web_sys::window(), address) else {
        return;
    };
    let init = RequestInit::new();
    init.set_method("DELETE");
    let _always_true = Reflect::set(&init, &"keepalive".into(), &JsValue::TRUE);
    let address = format!("http{host}/api/v1/labs/{lab}es/{pid}");
    let request = window.fetch_with_str_and_init(&address, &init);
    spawn_local(async move {
        // Without an answer the relay finds out by itself, after the grace time at the latest.
        let _answer = JsFuture::from(request).await;
    });
}

/// Reads a message; one that this page does not know is left alone.
fn read(message: &Message) -> Option<Arrival> {
    let report = match message.kind()?.as_str() {
        "progress" => Report::Progress(BootStep::named(&message.step()?)?),
        "booted" => Report::Booted,
        "engine" => return Some(Arrival::Engine(Engine(message.engine()))),
        "started" => Report::Started,
        "output" => {
            let stream = if message.stream()? == "stderr" {
                Stream::Stderr
            } else {
                Stream::Stdout
            };
            return Some(Arrival::Output(stream, message.text()?));
        }
        "waiting" => Report::Waiting {
            call: message.call()?,
        },
        "running" => Report::Running,
        "ready" => Report::Ready {
            address: message.address()?,
        },
        "exit" => Report::Exit {
            status: message.status()?,
        },
        "paused" => Report::Paused,
        "resumed" => Report::Resumed,
        "lost" => Report::Lost,
        "failed" => Report::Failed {
            reason: message.reason()?,
        },
        _ => return None,
    };
    Some(Arrival::Report(report))
}

fn write(command: &Command, attached: Attachments<'_>) -> JsValue {
    match command {
        Command::Boot(_) => {
            let engine = attached
                .engine
                .map_or(JsValue::NULL, |engine| engine.0.clone());
            object([("type", "boot".into()), ("engine", engine)])
        }
        Command::Start(program) => object([
            ("type", "start".into()),
            ("program", write_program(program)),
            ("relay", write_relay(program, attached.relay)),
        ]),
        Command::Input(text) => object([("type", "input".into()), ("text", text.into())]),
        Command::Eof => object([("type", "eof".into())]),
        Command::Interrupt => object([("type", "interrupt".into())]),
    }
}

fn write_program(program: &Program) -> JsValue {
    let files = Object::new();
    for (file, text) in &program.files {
        let _always_true = Reflect::set(&files, &file.into(), &text.into());
    }
    let args: Array = program.args.iter().map(JsValue::from).collect();
    object([
        ("file", (&program.file).into()),
        ("files", files.into()),
        ("args", args.into()),
    ])
}

fn write_relay(program: &Program, url: &str) -> JsValue {
    object([
        ("url", url.into()),
        ("host", (&program.host).into()),
        ("process", (&program.process).into()),
    ])
}

/// A plain object; setting a field of one cannot fail.
fn object<const N: usize>(fields: [(&str, JsValue); N]) -> JsValue {
    let object = Object::new();
    for (key, value) in fields {
        let _always_true = Reflect::set(&object, &key.into(), &value);
    }
    object.into()
}
