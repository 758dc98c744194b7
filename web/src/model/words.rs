//! What people read on the page, in English and Simplified Chinese.
//!
//! The texts live in `www/locales/`, one file a language. A [`Word`] names a text; a test holds the list and the files
//! together, so that no language can lack a text or carry one that nobody shows.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// `en.json`.
static ENGLISH: LazyLock<Texts> =
    LazyLock::new(|| parse(include_str!("../../../www/locales/en.json")));
/// `zh-CN.json`.
static CHINESE: LazyLock<Texts> =
    LazyLock::new(|| parse(include_str!("../../../www/locales/zh-CN.json")));

/// The texts of one language, by key.
type Texts = BTreeMap<String, String>;

/// A language that the page speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// Every language, in the order in which the page offers them.
    pub const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// The first of the wanted languages that the page speaks, from tags such as `zh-TW`; else English.
    pub fn choose<'a>(tags: impl IntoIterator<Item = &'a str>) -> Self {
        tags.into_iter()
            .find_map(Self::tagged)
            .unwrap_or(Self::English)
    }

    /// The language's tag, for the `lang` attribute (BCP 47).
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// The language's name in itself.
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Chinese => "中文",
        }
    }

    /// A text; a missing one shows its key, so that somebody notices.
    pub fn text(self, word: Word) -> &'static str {
        self.texts()
            .get(word.key())
            .map_or(word.key(), String::as_str)
    }

    /// A text with its places in braces filled in, as in `{process}`.
    pub fn fill(self, word: Word, places: &[(&str, &str)]) -> String {
        let mut text = self.text(word).to_owned();
        for (place, value) in places {
            text = text.replace(&format!("{{{place}}}"), value);
        }
        text
    }

    fn tagged(tag: &str) -> Option<Self> {
        match tag.split(['-', '_']).next()?.to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "zh" => Some(Self::Chinese),
            _ => None,
        }
    }

    fn texts(self) -> &'static Texts {
        match self {
            Self::English => &ENGLISH,
            Self::Chinese => &CHINESE,
        }
    }
}

/// Reads a locale file; the tests see to it that there is nothing to fail.
fn parse(json: &str) -> Texts {
    serde_json::from_str(json).unwrap_or_default()
}

macro_rules! words {
    ($($word:ident $key:literal $meaning:literal,)*) => {
        /// A text of the page.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Word {
            $(#[doc = $meaning] $word,)*
        }

        impl Word {
            /// Every text.
            pub const ALL: &'static [Self] = &[$(Self::$word,)*];

            /// The text's key in the locale files.
            pub fn key(self) -> &'static str {
                match self {
                    $(Self::$word => $key,)*
                }
            }
        }
    };
}

words! {
    Tagline "tagline" "What this is, in a few words.",
    Toolbar "toolbar" "Label of the buttons that concern every process.",
    RunAll "runAll" "Button: start every process in order.",
    StopAll "stopAll" "Button: stop every process.",
    AddClient "addClient" "Button: one more client.",
    Restore "restore" "Button: bring back the texts that the page came with.",
    LanguageLabel "language" "Label of the language choice.",
    Licences "licences" "Link to the licences of everything that the page is made of.",
    Processes "processes" "Label of all panes together.",
    Process "process" "Label of one pane.",
    Run "run" "Button: start this process.",
    RunProcess "runProcess" "The same with the process' name, for those who hear it.",
    Stop "stop" "Button: stop this process.",
    StopProcess "stopProcess" "The same with the process' name.",
    Console "console" "Label of a console.",
    ConsoleEmpty "consoleEmpty" "Stands in a console that has nothing to show.",
    InputFor "inputFor" "Label of an input line.",
    InputHint "inputHint" "Stands in an empty input line.",
    InputIdle "inputIdle" "The same while the process does not run.",
    InputEnded "inputEnded" "The same after the end of input.",
    EndOfInput "endOfInput" "Button: there will be no more input.",
    EndOfInputFor "endOfInputFor" "The same with the process' name.",
    Idle "idle" "State: never run.",
    BootWaiting "bootWaiting" "State: another process boots first.",
    BootDownload "bootDownload" "State: Python comes over the network.",
    BootCompile "bootCompile" "State: Python is compiled.",
    BootStart "bootStart" "State: Python starts.",
    BootSnapshot "bootSnapshot" "State: the snapshot is taken.",
    Starting "starting" "State: the program is handed over.",
    Running "running" "State: the program computes.",
    Waiting "waiting" "State: the program waits in a call.",
    WaitingInput "waitingInput" "State: the program waits for a line.",
    WaitingSleep "waitingSleep" "State: the program sleeps.",
    WaitingLock "waitingLock" "State: the program waits for one of its threads.",
    Reconnecting "reconnecting" "State: the connection to the relay is lost and may come back.",
    Stopping "stopping" "State: Ctrl-C is sent.",
    Finished "finished" "State: ended well.",
    Ended "ended" "State: ended with some status.",
    EndedByError "endedByError" "State: ended by an exception.",
    Interrupted "interrupted" "State: ended by Ctrl-C.",
    Failed "failed" "State: it could not be started, or broke down.",
    Stopped "stopped" "State: ended from outside.",
    StoppedSentence "stoppedSentence" "Console: why the process is gone.",
    UnloadedSentence "unloadedSentence" "Console: the worker's script did not come.",
    CrashedDetail "crashedDetail" "Console: the worker broke down.",
    LostSentence "lostSentence" "Console: the connection did not come back.",
    Dropped "dropped" "Console: the oldest output is gone.",
    Folded "folded" "Console: more is kept than shown.",
    NoEditor "noEditor" "The editor's script is missing.",
    OldBrowser "oldBrowser" "The browser lacks what a waiting process needs.",
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places in braces of a text, sorted.
    fn places(text: &str) -> Vec<&str> {
        let mut places: Vec<_> = text
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}'))
            .map(|(place, _)| place)
            .collect();
        places.sort_unstable();
        places
    }

    #[test]
    fn every_language_has_every_text_and_no_other() {
        let mut keys: Vec<_> = Word::ALL.iter().map(|word| word.key()).collect();
        keys.sort_unstable();
        for language in Language::ALL {
            let found: Vec<_> = language.texts().keys().map(String::as_str).collect();
            assert_eq!(found, keys, "{}", language.tag());
            assert!(
                language
                    .texts()
                    .values()
                    .all(|text| !text.trim().is_empty())
            );
        }
    }

    #[test]
    fn a_text_has_the_same_places_in_every_language() {
        for word in Word::ALL {
            let [english, chinese] = Language::ALL.map(|language| places(language.text(*word)));
            assert_eq!(english, chinese, "{}", word.key());
        }
    }

    #[test]
    fn places_are_filled_in() {
        assert_eq!(
            Language::English.fill(Word::RunProcess, &[("process", "server")]),
            "Run server"
        );
        assert_eq!(
            Language::Chinese.fill(Word::Console, &[("process", "client2")]),
            "client2 的控制台"
        );
    }

    #[test]
    fn the_first_spoken_language_is_chosen() {
        assert_eq!(
            Language::choose(["fr-FR", "zh-Hans-CN", "en"]),
            Language::Chinese
        );
        assert_eq!(Language::choose(["en_GB", "zh"]), Language::English);
        assert_eq!(Language::choose(["eo"]), Language::English);
    }
}
