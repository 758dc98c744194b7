//! What was found, as tables with the ratios that matter.

use super::{Course, Way};
use crate::{
    figures::{Table, figure, median},
    load::Sample,
};

/// What a way is called, what it is compared with, and what the product's ratio should be.
struct Words {
    name: &'static str,
    beside: Option<(Way, &'static str)>,
    echo_aim: &'static str,
    bulk_aim: &'static str,
}

impl Way {
    fn words(self) -> Words {
        let words = |name, beside| Words {
            name,
            beside,
            echo_aim: "",
            bulk_aim: "",
        };
        let direct = Some((Self::Direct, "Rust to Rust"));
        match self {
            Self::Python => words("CPython to CPython", direct),
            Self::Direct => words("Rust to Rust", None),
            Self::Proxy => words("Rust, bare proxy, Rust", direct),
            Self::Proxies => words("Rust, two bare proxies, Rust", direct),
            Self::Relay => Words {
                echo_aim: "≤ 1.1, p99.9 < 1000",
                bulk_aim: "≥ 0.95, ≤ 0.45 / 0.40",
                ..words(
                    "process (native client), relay, Rust",
                    Some((Self::Proxy, "bare proxy")),
                )
            },
            Self::Relays => words(
                "process, relay, process (native clients)",
                Some((Self::Proxies, "two bare proxies")),
            ),
            Self::Bare => words("worker in the browser, bare WebSocket, Rust", None),
            Self::Page => words(
                "Python in the browser, relay, Python in the browser",
                Some((Self::Bare, "bare WebSocket")),
            ),
        }
    }

    /// The median of an echo, which a browser's coarse clock gives as means only.
    fn p50(self, sample: &Sample) -> Option<f64> {
        match self {
            Self::Bare | Self::Page => sample.batch,
            _ => sample.p50,
        }
    }
}

/// The median over the rounds.
fn middle(course: &Course, value: impl Fn(&Sample) -> Option<f64>) -> Option<f64> {
    let values: Vec<f64> = course.samples.iter().filter_map(value).collect();
    median(&values)
}

/// The median over the rounds of the ratio within a round.
fn ratio(
    courses: &[Course],
    course: &Course,
    to: Way,
    value: impl Fn(Way, &Sample) -> Option<f64>,
) -> Option<f64> {
    let base = courses.iter().find(|course| course.way == to)?;
    let pairs = course.samples.iter().zip(&base.samples);
    let ratios: Vec<f64> = pairs
        .filter_map(|(one, other)| Some(value(course.way, one)? / value(to, other)?))
        .collect();
    median(&ratios)
}

/// The table of messages to and fro.
pub(super) fn echo(courses: &[Course]) -> Table {
    let title = format!("echo of 64 bytes, medians of {} rounds", rounds(courses));
    let mut table = Table::new(
        &title,
        &[
            "",
            "p50 µs",
            "p99 µs",
            "p99.9 µs",
            "p50 ratio",
            "aim",
            "beside",
        ],
    );
    for course in courses {
        let words = course.way.words();
        let (to, beside) = words.beside.unzip();
        table.row([
            words.name.to_owned(),
            figure(middle(course, |sample| course.way.p50(sample))),
            figure(middle(course, |sample| sample.p99)),
            figure(middle(course, |sample| sample.p999)),
            to.map_or_else(String::new, |to| {
                figure(ratio(courses, course, to, Way::p50))
            }),
            words.echo_aim.to_owned(),
            beside.unwrap_or_default().to_owned(),
        ]);
    }
    table.note(
        "all on the loopback with TCP_NODELAY; ends, proxy and relay are processes of their own",
    );
    if courses.iter().any(|course| course.way == Way::Page) {
        table.note(
            "between two programs in the browser there are two WebSockets and one TCP connection, so 2 is the bound",
        );
        table.note(
            "in the browser p50 is of means over 16 messages, and p99 within 100 µs, because its clock is coarse",
        );
    }
    table
}

/// The table of many bytes one way.
pub(super) fn bulk(courses: &[Course]) -> Table {
    let title = format!(
        "bulk in writes of 64 KiB, medians of {} rounds",
        rounds(courses)
    );
    let heads = [
        "",
        "up MB/s",
        "down MB/s",
        "up ratio",
        "down ratio",
        "CPU s/GB up",
        "down",
        "aim",
        "beside",
    ];
    let mut table = Table::new(&title, &heads);
    for course in courses {
        let words = course.way.words();
        let (to, beside) = words.beside.unzip();
        let compare = |value: fn(Way, &Sample) -> Option<f64>| {
            to.map_or_else(String::new, |to| figure(ratio(courses, course, to, value)))
        };
        table.row([
            words.name.to_owned(),
            figure(middle(course, |sample| sample.up)),
            figure(middle(course, |sample| sample.down)),
            compare(|_, sample| sample.up),
            compare(|_, sample| sample.down),
            figure(middle(course, |sample| sample.cost_up)),
            figure(middle(course, |sample| sample.cost_down)),
            words.bulk_aim.to_owned(),
            beside.unwrap_or_default().to_owned(),
        ]);
    }
    table.note("up is from the end that connects to the one that listens");
    table.note("CPU is the processor time of the proxy or the relay, which the kernel tells in hundredths of a second");
    table
}

fn rounds(courses: &[Course]) -> usize {
    courses.first().map_or(0, |course| course.samples.len())
}
