//! Whether what was seen is as it should be.

use ::tests::figures::median;

use crate::{plan::Plan, sample::Sample};

/// What memory may differ by between two looks at the same load, in bytes beside the twentieth part: buffers are lent
/// and given back, and the allocator keeps some of what was freed.
const NOISE: f64 = 4e6;

/// How many more descriptors there may be than there were: those of the connections of a look itself.
const LOOKING: usize = 2;

/// What is wrong, nothing if all is well.
pub(crate) fn of(plan: &Plan, start: &Sample, samples: &[Sample], left: &Sample) -> Vec<String> {
    let mut faults = Vec::new();
    // The first quarter is for everybody to come, and for buffers that stay.
    let settled = &samples[samples.len() / 4..];
    #[expect(clippy::cast_precision_loss, reason = "some megabytes, some thousands")]
    let growths = [
        growth("memory", settled, NOISE, |sample| sample.memory as f64),
        growth("descriptors", settled, LOOKING as f64, |sample| {
            sample.descriptors as f64
        }),
        growth("namespaces", settled, 0.0, |sample| {
            sample.namespaces as f64
        }),
        growth("sockets", settled, 0.0, |sample| sample.metrics.sockets()),
    ];
    faults.extend(growths.into_iter().flatten());
    let expected = f64::from(2 * plan.labs);
    let hosts: Vec<f64> = settled
        .iter()
        .map(|sample| sample.metrics.hosts())
        .collect();
    // At the last look some may have left already.
    if hosts[..hosts.len() - 1]
        .iter()
        .any(|&hosts| hosts != expected)
    {
        faults.push(format!(
            "not all of the {expected} hosts were there: {hosts:?}"
        ));
    }
    if !left.is_empty() {
        faults.push(format!(
            "something is left of those who have gone: {:?}",
            left.metrics
        ));
    }
    if start.descriptors + LOOKING < left.descriptors {
        let (start, left) = (start.descriptors, left.descriptors);
        faults.push(format!(
            "{left} descriptors are left of {start} at the start"
        ));
    }
    if start.namespaces < left.namespaces {
        faults.push(format!("{} network namespaces are left", left.namespaces));
    }
    faults
}

/// Whether there was more of something in the second half than in the first: a twentieth and some noise more.
fn growth(
    name: &str,
    samples: &[Sample],
    noise: f64,
    value: impl Fn(&Sample) -> f64,
) -> Option<String> {
    let middle = |samples: &[Sample]| {
        let values: Vec<f64> = samples.iter().map(&value).collect();
        median(&values)
    };
    let (earlier, later) = samples.split_at(samples.len() / 2);
    let (before, after) = (middle(earlier)?, middle(later)?);
    (1.05 * before + noise < after).then(|| format!("{name} grew from {before:.0} to {after:.0}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ::tests::Metrics;

    use super::*;

    fn sample(memory: u64, descriptors: usize, hosts: u32) -> Sample {
        Sample {
            memory,
            descriptors,
            namespaces: 0,
            metrics: Metrics::parse(&format!("socketpad_hosts {hosts}\n")),
        }
    }

    fn faults(memory: impl Fn(u64) -> u64, left: &Sample) -> Vec<String> {
        let plan = Plan {
            labs: 5,
            pairs: 1,
            time: Duration::from_secs(1),
        };
        let samples: Vec<Sample> = (0..20).map(|look| sample(memory(look), 50, 10)).collect();
        of(&plan, &sample(5_000_000, 10, 0), &samples, left)
    }

    #[test]
    fn what_stays_as_it_is_and_leaves_nothing_is_well() {
        let gone = sample(9_000_000, 11, 0);
        assert!(faults(|look| 20_000_000 + look % 3, &gone).is_empty());
    }

    #[test]
    fn growth_and_leftovers_are_seen() {
        let gone = sample(9_000_000, 11, 0);
        let grown = faults(|look| 20_000_000 + look * 1_000_000, &gone);
        assert_eq!(grown, ["memory grew from 28000000 to 36000000"]);
        let left = faults(|_| 20_000_000, &sample(9_000_000, 40, 1));
        assert_eq!(left.len(), 2, "{left:?}");
    }
}
