//! Runs of periodic jobs: recorded in the job log, and shown in the answers to timers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::Call;
use domain::error::Error;
use operations::{Done, JobLog, record_run};

/// The run of one job: `done` and `more` of a success, `failed` of a failure.
// Flat because serde's reader of untagged enums would be large.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct JobRun {
    /// 处理的条数，成功时 / items it worked on, where it succeeded
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub done: Option<usize>,
    /// 是否还有待办，成功时 / whether there is more to do now, where it succeeded
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub more: Option<bool>,
    /// 失败的原因代码，失败时 / reason of the failure, where it failed
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub failed: Option<String>,
}

impl JobRun {
    /// The run with this outcome.
    pub fn new(outcome: &Result<Done, Error>) -> Self {
        match outcome {
            Ok(done) => Self {
                done: Some(done.count),
                more: Some(done.more),
                failed: None,
            },
            Err(error) => Self {
                failed: Some(error.reason().code().to_owned()),
                ..Self::default()
            },
        }
    }
}

/// The runs of jobs, and whether to call again at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct JobRuns {
    /// 各任务的结果，以任务名为键 / the run of each job that was due, by its name
    pub jobs: BTreeMap<String, JobRun>,
    /// 是否应立即再次调用 / whether there is more to do now
    pub more: bool,
}

/// Records the run of a job in the job log, logs a failure, and returns the run as it is shown.
///
/// A failure to record is logged; it does not undo what the job did.
pub async fn finish_job(call: &Call, job_log: &JobLog, name: &str, outcome: &Result<Done, Error>) -> JobRun {
    if let Err(error) = record_run(&call.context(), job_log, name, outcome).await {
        call.log_failed_job(name, &error);
    }
    if let Err(error) = outcome {
        call.log_failed_job(name, error);
    }
    JobRun::new(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::error::Reason;

    #[test]
    fn a_run_says_what_was_done_or_why_it_failed() {
        let done = Ok(Done { count: 3, more: true });
        let failed = Err(Error::new(Reason::Unavailable).with_cause("locked"));
        for (outcome, json) in [
            (done, r#"{"done":3,"more":true}"#),
            (failed, r#"{"failed":"unavailable"}"#),
        ] {
            let run = JobRun::new(&outcome);
            assert_eq!(serde_json::to_string(&run).unwrap(), json);
            assert_eq!(serde_json::from_str::<JobRun>(json).unwrap(), run);
        }
    }
}
