//! The shim: a small WebAssembly module between the interpreter's system call imports and the kernel.
//!
//! A call that would block must suspend the interpreter's stack, and a stack with a JavaScript frame on it cannot be
//! suspended (the JS Promise Integration proposal). So the loop "try; if it would block, suspend and try again" has to
//! be WebAssembly itself. Per system call this is
//!
//! ```text
//! token = 0
//! loop
//!   result = try_<name>(arguments…, token)    ;; the kernel: never blocks
//!   if result != BLOCKED: return result
//!   token = syncify(promise())                ;; the interpreter's own primitive: saves its state, suspends
//!   if token <= 0: forget(); return STUCK     ;; this stack cannot be suspended
//! ```
//!
//! A second, unrelated export stands in for `OSError.__new__`: it has the arguments translated from Emscripten's error
//! numbers to Linux's and then calls the original.

use wasm_encoder::{
    BlockType, CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    HeapType, ImportSection, InstructionSink, Module, RefType, TableType, TypeSection, ValType,
};

/// What a `try_…` function returns when the call would block; no system call returns it.
pub(crate) const BLOCKED: i32 = i32::MIN;

/// Emscripten's `EDEADLK`: a call that would block where the stack cannot be suspended.
pub(crate) const STUCK: i32 = 16;

/// A system call that may block.
struct Call {
    /// The name of the import.
    name: &'static str,
    /// How many 32-bit parameters it has.
    params: u32,
    /// What [`STUCK`] looks like: Linux style calls return it negated, WASI's do not.
    stuck: i32,
}

const fn linux(name: &'static str, params: u32) -> Call {
    Call {
        name,
        params,
        stuck: -STUCK,
    }
}

/// The calls, as Emscripten 5.0.3 declares them.
const CALLS: &[Call] = &[
    linux("__syscall_accept4", 6),
    linux("__syscall_bind", 6),
    linux("__syscall_connect", 6),
    linux("__syscall_getpeername", 6),
    linux("__syscall_getsockname", 6),
    linux("__syscall_getsockopt", 6),
    linux("__syscall_ioctl", 3),
    linux("__syscall_listen", 6),
    linux("__syscall_poll", 3),
    linux("__syscall_recvfrom", 6),
    linux("__syscall_recvmsg", 6),
    linux("__syscall_sendmsg", 6),
    linux("__syscall_sendto", 6),
    linux("__syscall_socket", 6),
    Call {
        name: "fd_read",
        params: 4,
        stuck: STUCK,
    },
    Call {
        name: "fd_write",
        params: 4,
        stuck: STUCK,
    },
    linux("getaddrinfo", 4),
    linux("getnameinfo", 7),
];

/// Slots of the table that the page's glue fills once the interpreter is instantiated.
const SYNCIFY_SLOT: i32 = 0;
const NEW_SLOT: i32 = 1;
const DECREF_SLOT: i32 = 2;

/// Types by their index.
const PROMISE_TYPE: u32 = 0;
const FORGET_TYPE: u32 = 1;
const SYNCIFY_TYPE: u32 = 2;
const DECREF_TYPE: u32 = 3;
/// `(i32 × n) -> i32` is type `INTS + n`.
const INTS: u32 = 4;
const MOST_INTS: u32 = 8;

/// Imported functions by their index; the `try_…` functions follow.
const PROMISE: u32 = 0;
const FORGET: u32 = 1;
const TRANSLATE: u32 = 2;
const FIRST_TRY: u32 = 3;

/// The module, encoded.
pub(crate) fn module() -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], [ValType::EXTERNREF]);
    types.ty().function([], []);
    types.ty().function([ValType::EXTERNREF], [ValType::I32]);
    types.ty().function([ValType::I32], []);
    for count in 0..=MOST_INTS as usize {
        types
            .ty()
            .function(vec![ValType::I32; count], [ValType::I32]);
    }

    let mut imports = ImportSection::new();
    let table = TableType {
        element_type: RefType {
            nullable: true,
            heap_type: HeapType::FUNC,
        },
        table64: false,
        minimum: 3,
        maximum: Some(3),
        shared: false,
    };
    imports.import("shim", "table", EntityType::Table(table));
    imports.import("shim", "promise", EntityType::Function(PROMISE_TYPE));
    imports.import("shim", "forget", EntityType::Function(FORGET_TYPE));
    imports.import("shim", "translate", EntityType::Function(INTS + 2));
    for call in CALLS {
        imports.import(
            "try",
            call.name,
            EntityType::Function(INTS + call.params + 1),
        );
    }

    let mut functions = FunctionSection::new();
    let mut exports = ExportSection::new();
    let mut code = CodeSection::new();
    // Imported functions are counted first.
    let first_own = (FIRST_TRY..)
        .zip(CALLS)
        .map(|(index, _)| index + 1)
        .max()
        .unwrap_or(FIRST_TRY);
    for (position, call) in (0u32..).zip(CALLS) {
        functions.function(INTS + call.params);
        exports.export(call.name, ExportKind::Func, first_own + position);
        code.function(&retry(call, FIRST_TRY + position));
    }
    functions.function(INTS + 3);
    exports.export(
        "oserror_new",
        ExportKind::Func,
        first_own + (first_own - FIRST_TRY),
    );
    code.function(&translated_new());

    let mut module = Module::new();
    module
        .section(&types)
        .section(&imports)
        .section(&functions)
        .section(&exports)
        .section(&code);
    module.finish()
}

/// The loop of one system call.
fn retry(call: &Call, attempt: u32) -> Function {
    let (token, result) = (call.params, call.params + 1);
    let mut function = Function::new([(2, ValType::I32)]);
    let mut body = function.instructions();
    body.loop_(BlockType::Empty);
    get_all(&mut body, call.params);
    body.local_get(token).call(attempt).local_tee(result);
    body.i32_const(BLOCKED).i32_ne();
    body.if_(BlockType::Empty).local_get(result).return_().end();
    body.call(PROMISE).i32_const(SYNCIFY_SLOT);
    body.call_indirect(0, SYNCIFY_TYPE).local_tee(token);
    body.i32_const(0).i32_le_s();
    body.if_(BlockType::Empty);
    body.call(FORGET).i32_const(call.stuck).return_().end();
    body.br(0).end().unreachable().end();
    function
}

/// `OSError.__new__(type, args, kwds)` with translated arguments, which are a new reference.
fn translated_new() -> Function {
    let (args, translated, result) = (1, 3, 4);
    let mut function = Function::new([(2, ValType::I32)]);
    let mut body = function.instructions();
    body.local_get(0).local_get(args).call(TRANSLATE);
    body.local_set(translated);
    body.local_get(0).local_get(translated).local_get(2);
    body.i32_const(NEW_SLOT).call_indirect(0, INTS + 3);
    body.local_set(result);
    body.local_get(translated).i32_const(DECREF_SLOT);
    body.call_indirect(0, DECREF_TYPE);
    body.local_get(result).end();
    function
}

fn get_all(body: &mut InstructionSink<'_>, params: u32) {
    for index in 0..params {
        body.local_get(index);
    }
}
