/**
 * Exceptions with Linux's error numbers.
 *
 * CPython's C code raises `OSError(number, text)` with Emscripten's number and musl's text, in many places that cannot
 * be reached. All of them go through `OSError.__new__`, and a type object lies in the program's memory; so its `tp_new`
 * is pointed at a function of the shim that has the arguments translated here first. The text tells such an exception
 * from one that the program makes itself with Linux's numbers.
 */

/** Offsets in a `PyTypeObject` of a 32-bit CPython 3.14. */
const TP_NAME = 12;
const TP_BASICSIZE = 16;
const TP_NEW = 156;

export class Exceptions {
  /**
   * @param {import("./machine.js").Machine} machine
   * @param {Array<[number, string, number, string]>} rows Number and text inside; number and text for the program.
   */
  constructor(machine, rows) {
    this.machine = machine;
    /** @type {Map<number, Array<{text: string, number: number, say: string}>>} */
    this.byNumber = new Map();
    for (const [inside, text, number, say] of rows) {
      const known = this.byNumber.get(inside) ?? [];
      this.byNumber.set(inside, [...known, { text, number, say }]);
    }
  }

  /**
   * Points the types' `tp_new` at the shim.
   *
   * @param {Array<{address: number, size: number, name: string}>} types What Python says of the types.
   * @param {WebAssembly.Table} shimTable
   * @param {number} slot Where in that table the original belongs.
   * @param {Function} replacement
   */
  install(types, shimTable, slot, replacement) {
    const { module } = this.machine;
    const functions = module.wasmTable;
    const index = functions.grow(1);
    functions.set(index, replacement);
    const original = module.HEAPU32[(types[0].address + TP_NEW) >>> 2];
    shimTable.set(slot, functions.get(original));
    for (const { address, size, name } of types) {
      const found = module.UTF8ToString(module.HEAPU32[(address + TP_NAME) >>> 2]);
      const isExpected =
        module.HEAPU32[(address + TP_BASICSIZE) >>> 2] === size &&
        (found === name || found.endsWith(`.${name}`)) &&
        module.HEAPU32[(address + TP_NEW) >>> 2] === original;
      if (!isExpected) throw new Error(`the type ${name} does not lie in memory as expected`);
      module.HEAPU32[(address + TP_NEW) >>> 2] = index;
    }
  }

  /**
   * The arguments for `OSError.__new__`, as a new reference to a tuple.
   *
   * @param {number} _type
   * @param {number} args A tuple.
   * @returns {number}
   */
  translate(_type, args) {
    const { module } = this.machine;
    const size = module._PyTuple_Size(args);
    const same = () => {
      module._Py_IncRef(args);
      return args;
    };
    if (size < 2) return same();
    const [number, text] = [0, 1].map((index) => module._PyTuple_GetItem(args, index));
    const inside = this.number(number);
    const row = this.byNumber.get(inside)?.find((each) => each.text === this.text(text));
    if (!row) return same();
    const translated = module._PyTuple_New(size);
    module._PyTuple_SetItem(translated, 0, module._PyLong_FromLong(row.number));
    module._PyTuple_SetItem(translated, 1, this.newText(row.say));
    for (let index = 2; index < size; index++) {
      const item = module._PyTuple_GetItem(args, index);
      module._Py_IncRef(item);
      module._PyTuple_SetItem(translated, index, item);
    }
    return translated;
  }

  /** An `int` object's value, or NaN. */
  number(object) {
    const { module } = this.machine;
    const value = module._PyLong_AsLong(object);
    if (value === -1 && module._PyErr_Occurred()) {
      module._PyErr_Clear();
      return NaN;
    }
    return value;
  }

  /** A `str` object's value, or nothing. */
  text(object) {
    const { module } = this.machine;
    const at = module._PyUnicode_AsUTF8(object);
    if (at === 0) {
      module._PyErr_Clear();
      return undefined;
    }
    return module.UTF8ToString(at);
  }

  newText(text) {
    const { module } = this.machine;
    const bytes = new TextEncoder().encode(`${text}\0`);
    const at = module._malloc(bytes.length);
    module.HEAPU8.set(bytes, at);
    const object = module._PyUnicode_FromString(at);
    module._free(at);
    return object;
  }
}
