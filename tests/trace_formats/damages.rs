//! What is said of damaged files of every format: file, line, column, value, what to do.

use faassim::trace::Reading;

use super::message;

/// Name of the file, its text, what is said.
#[rustfmt::skip]
const DAMAGES: &[(&str, &str, &str)] = &[
    // Azure 2019.
    ("d01.csv", "HashOwner,HashApp,HashFunction,Trigger,1,2\no,a,f,http,1,x\n", "DIR/d01.csv:2: column `2`: `x` is not a number of invocations\n  help: write a whole number, 0 for none"),
    ("d01.csv", "HashOwner,HashApp,HashFunction,Trigger,1,2\no,a,f,http,1,-3\n", "DIR/d01.csv:2: column `2`: `-3` is not a number of invocations\n  help: write a whole number, 0 for none"),
    ("d01.csv", "HashOwner,HashApp,HashFunction,Trigger,1,2\no,a,f,http,1,\n", "DIR/d01.csv:2: column `2`: is empty\n  help: write a whole number, 0 for none"),
    ("d01.csv", "HashOwner,HashApp,HashFunction,Trigger,1,2\no,a,f,http,1\n", "DIR/d01.csv:2: 5 fields, but the header names 6 columns\n  help: add what is missing; an empty field is written as nothing between two commas"),
    ("d01.csv", "HashOwner,HashApp,HashFunction,Trigger,1,2\no,a,,http,1,2\n", "DIR/d01.csv:2: column `HashFunction`: `` is empty\n  help: HashApp and HashFunction name it"),
    ("d01.csv", "HashOwner,HashApp,HashFunction,Trigger,1,2\n", "DIR/d01.csv: has no functions\n  help: every row is a function"),
    ("d01.csv", "HashOwner,HashApp,HashFunction,Trigger,1,2\no,a,f,http,0,0\n", "DIR/d01.csv: has no invocations"),
    ("d01.csv", "HashOwner,HashApp,HashFunction,Trigger,1\no,a,f,http,99999999\n", "d01: 99999999 invocations within 1 min (number 0 of 1), at most 16777216 are taken\n  help: are these really counts?"),
    // Azure 2021.
    ("t.txt", "app,func,end_timestamp,duration\na,f,x,1\n", "DIR/t.txt:2: column `end_timestamp`: `x` is not a number\n  help: write seconds of at least 0, for example 57.154"),
    ("t.txt", "app,func,end_timestamp,duration\na,f,10,5000\n", "DIR/t.txt:2: column `duration`: 5000 s is longer than an invocation may run here (4294967.294 ms)\n  help: durations are seconds; are these milliseconds?"),
    ("t.txt", "app,func,end_timestamp,duration\na,,1,1\n", "DIR/t.txt:2: column `func`: is empty\n  help: write a name"),
    ("t.txt", "app,func,end_timestamp,duration\n", "DIR/t.txt: has no invocations\n  help: every row is one"),
    // AWS Lambda.
    ("run.csv", "arrival_s,client_end_s,fn_start_s,fn_end_s,is_cold\n0,2,0.1,1.9,maybe\n", "DIR/run.csv:2: column `is_cold`: `maybe` does not say whether it was a cold start\n  help: write 1 for cold and 0 for warm"),
    ("run.csv", "arrival_s,client_end_s,fn_start_s,fn_end_s,is_cold\n0,2,1.9,0.1,1\n", "DIR/run.csv:2: column `fn_end_s`: the function ended before it began\n  help: fn_end_s is not before fn_start_s"),
    ("run.csv", "arrival_s,client_end_s,fn_start_s,is_cold\n0,2,1.9,1\n", "DIR/run.csv:1: no column `fn_end_s`; the header has `arrival_s`, `client_end_s`, `fn_start_s`, `is_cold`\n  help: did you mean `client_end_s`? Call it `fn_end_s`; `end_time` is read too"),
    // OpenDC.
    ("f.csv", "Timestamp [ms],Invocations,Avg Exec time per Invocation,Provisioned Memory [mb]\n60000,1.5,3,128\n", "DIR/f.csv:2: column `Invocations`: `1.5` is not a number of invocations\n  help: write a whole number, 0 for none"),
    ("f.csv", "Timestamp [ms],Invocations,Avg Exec time per Invocation,Provisioned Memory [mb]\nnoon,1,3,128\n", "DIR/f.csv:2: column `Timestamp [ms]`: `noon` is not a number\n  help: write milliseconds of at least 0, for example 1500 or 1500.25"),
    // Huawei.
    ("day_000.csv", "day,time,0\n0,0,1\n0,0,2\n", "DIR/day_000.csv:3: column `time`: `0` does not come after the row before\n  help: times ascend; are the same days in two files?"),
    ("day_000.csv", "day,time,0\n0,1.5,1\n", "DIR/day_000.csv:2: column `time`: `1.5` is not a whole number of seconds\n  help: write whole seconds since the start of day 0"),
    ("day_000.csv", "day,time,0\n0,0,-1\n", "DIR/day_000.csv:2: column `0`: `-1` is not a number of requests\n  help: write a number of requests, or nothing for none"),
    ("day_000.csv", "day,time,0\n0,0,1\n0,86400,1\n", "DIR/day_000.csv: rows are 86400 s apart\n  help: a row per minute or per second is expected"),
    // libCacheSim.
    ("t.csv", "time,object,size\n0,a,big\n", "DIR/t.csv:2: column `size`: `big` is not a number of bytes\n  help: write a whole number of bytes"),
    ("t.csv", "time,object,size\n-1,a,5\n", "DIR/t.csv:2: column `time`: `-1` is negative\n  help: write seconds of at least 0"),
    ("t.csv", "time,object,size\n", "DIR/t.csv: has no requests\n  help: every row is one"),
    // Counts of the native format.
    ("counts.csv", "minute,function,invocations\n0,alpha,two\n", "DIR/counts.csv:2: column `invocations`: `two` is not a whole number\n  help: write a whole number, for example 12"),
    ("counts.csv", "minute,function,invocations\n0,alpha,4294967296\n", "DIR/counts.csv:2: column `invocations`: `4294967296` is too large; at most 4294967295 is taken\n  help: write a whole number, for example 12"),
    ("counts.csv", "minute,function,invocations\n99999999,alpha,1\n", "DIR/counts.csv:2: column `minute`: `99999999` is too large; at most 16777215 is taken\n  help: write a whole number, for example 12"),
    ("counts.csv", "minute,function,invocations\n0,alpha,0\n", "DIR/counts.csv: has no invocations\n  help: write one row per function and bin that has any"),
    ("counts.csv", "moment,function,invocations\n0,alpha,1\n", "DIR/counts.csv:1: no column `minute`; the header has `moment`, `function`, `invocations`\n  help: the bin of time is in `minute`, `second`, `hour`"),
    ("counts.csv", "minute,function,invocations\n0,alhpa,1\n", "DIR/counts.csv:2: column `function`: unknown function `alhpa`\n  help: did you mean `alpha`? Else give it a row in the functions file"),
];

#[test]
fn every_damage_has_its_message() {
    for (name, text, expected) in DAMAGES {
        let functions = ("functions.csv", "function,memory_mb,cold_ms,warm_ms\nalpha,128,300,100\n");
        // A native trace is a folder; the others are read by the name of the file.
        let (files, path): (&[_], _) = if *name == "counts.csv" {
            (&[(*name, *text), functions], "")
        } else {
            (&[(*name, *text)], *name)
        };
        assert_eq!(message(files, path, &Reading::default()), *expected, "{text:?}");
    }
}

#[test]
fn companions_of_azure_2019_are_checked_too() {
    let invocations = ("d01.csv", "HashOwner,HashApp,HashFunction,Trigger,1\no,a,f,http,1\n");
    let durations = "HashOwner,HashApp,HashFunction,Average,Count,Minimum,Maximum\no,a,f,ten,1,0,5\n";
    let said = message(&[invocations, ("durations.d01.csv", durations)], "", &Reading::default());
    assert_eq!(
        said,
        "DIR/durations.d01.csv:2: column `Average`: `ten` is not a number\n  help: write a number, for example 1500"
    );
    let memory = "HashOwner,HashApp,SampleCount,AverageAllocatedMb\no,a,1,1e99\n";
    let said = message(&[invocations, ("memory.d01.csv", memory)], "", &Reading::default());
    assert_eq!(
        said,
        "DIR/memory.d01.csv:2: column `AverageAllocatedMb`: `1e99` is too large\n  help: write a number, for example 1500"
    );
    let twice = [invocations, ("day1_d01.csv", invocations.1)];
    let said = message(&twice, "", &Reading::default());
    assert!(
        said.starts_with("DIR: both `DIR/d01.csv` and `DIR/day1_d01.csv` are of day 1\n  help: keep"),
        "{said}"
    );
}
