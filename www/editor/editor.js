// The editor of one file: CodeMirror 6 behind the few calls that the page needs. The page's wasm owns the text's
// meaning; this class only shows and edits it. Colours come from the page's style sheet (`tok-…` classes), so that a
// change of theme needs no second set of them here.

import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, Transaction } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";

/** @typedef {{doc: string, label: string, dark: boolean, onChange: (text: string) => void}} EditorOptions */

/** One editor, drawn inside `parent`. */
class Editor {
  #view;
  #theme = new Compartment();
  #label = new Compartment();

  /**
   * @param {Element} parent the element that the editor fills
   * @param {EditorOptions} options what it shows and whom it tells
   */
  constructor(parent, { doc, label, dark, onChange }) {
    const extensions = [
      lineNumbers(),
      highlightActiveLineGutter(),
      highlightSpecialChars(),
      history(),
      drawSelection(),
      indentUnit.of("    "),
      indentOnInput(),
      bracketMatching(),
      closeBrackets(),
      highlightActiveLine(),
      highlightSelectionMatches(),
      search({ top: true }),
      python(),
      syntaxHighlighting(classHighlighter),
      // Tab is not bound: it leaves the editor, so that nobody is trapped in it (WCAG 2.1.2).
      keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap]),
      this.#theme.of(EditorView.darkTheme.of(dark)),
      this.#label.of(labelled(label)),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) {
          onChange(update.state.doc.toString());
        }
      }),
    ];
    this.#view = new EditorView({ parent, state: EditorState.create({ doc, extensions }) });
  }

  /** @returns {string} what the editor shows */
  text() {
    return this.#view.state.doc.toString();
  }

  /** @param {string} text replaces everything; undo brings the old text back */
  setText(text) {
    const changes = { from: 0, to: this.#view.state.doc.length, insert: text };
    this.#view.dispatch({ changes, annotations: Transaction.addToHistory.of(true) });
  }

  /** @param {boolean} dark whether the page is dark */
  setTheme(dark) {
    this.#view.dispatch({ effects: this.#theme.reconfigure(EditorView.darkTheme.of(dark)) });
  }

  /** @param {string} label the editor's accessible name: its file */
  setLabel(label) {
    this.#view.dispatch({ effects: this.#label.reconfigure(labelled(label)) });
  }

  /** Moves the focus into the editor. */
  focus() {
    this.#view.focus();
  }

  /** Takes the editor off the page. */
  destroy() {
    this.#view.destroy();
  }
}

/** @param {string} label the accessible name of the text; spelling is not checked, since it is code */
function labelled(label) {
  return EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0", spellcheck: "false", autocapitalize: "off" });
}

// The page's wasm binds this name; a bundle's exports would need an address that survives hashing.
globalThis.SocketpadEditor = Editor;
