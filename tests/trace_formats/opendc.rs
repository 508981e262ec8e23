//! OpenDC: rows written by hand to the schema of its serverless traces.

use faassim::time::Span;
use faassim::trace::{Loaded, Reading, Spacing};

use super::{arrivals, functions, read_as};

const HEADER: &str = "Timestamp [ms],Invocations, Avg Exec time per Invocation,Provisioned CPU [Mhz],\
                      Provisioned Memory [mb], Avg cpu usage per Invocation [Mhz], Avg mem usage per Invocation [mb]";

#[test]
fn a_row_counts_the_minute_before_its_time() {
    let first = format!(
        "{HEADER},name\n60000,1,300,100,256,0.0,2.0,alpha\n120000,0,0,100,512,0.0,0.0,alpha\n180000,3,100,100,256,0,0,alpha\n"
    );
    let second = format!("{HEADER}\n60000,0,0,100,128,0.0,0.0\n120000,2,50,100,128,0.0,0.0\n");
    let files = [("1.csv", first.as_str()), ("beta.csv", second.as_str())];
    let reading = Reading { spacing: Spacing::Equidistant, ..Reading::default() };
    let Loaded { trace, .. } = read_as("opendc", &files, "", &reading);
    // (300 + 3 × 100) / 4; what a cold start adds is the longest less the mean.
    assert_eq!(functions(&trace), [("alpha", 512, 300.0, 150.0), ("beta", 128, 50.0, 50.0)]);
    let minute = 60_000_000;
    assert_eq!(
        arrivals(&trace),
        [
            (0, "alpha", None),
            (minute, "beta", None),
            (minute + minute / 2, "beta", None),
            (2 * minute, "alpha", None),
            (2 * minute + minute / 3, "alpha", None),
            (2 * minute + 2 * minute / 3, "alpha", None),
        ]
    );
    assert_eq!(trace.counts().expect("counts").0.width(), Span::from_mins(1));
}
