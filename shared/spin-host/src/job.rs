//! Finishes a run of a job: records it, logs a failure, and makes its part of the tick's answer.

use serde_json::{Value, json};

use super::database::Connection;
use domain::error::Error;
use operations::{Done, JobLog, record_run};
use web::Call;

/// Records the run of a job in the job log and returns its part of the answer to a tick.
///
/// A failure to record is logged; it does not undo what the job did.
pub async fn finish_job(
    call: &Call<'_, Connection>,
    job_log: &JobLog,
    name: &str,
    outcome: &Result<Done, Error>,
) -> Value {
    if let Err(error) = record_run(call.cx, job_log, name, outcome).await {
        eprintln!("{}", call.failed_job(name, &error));
    }
    match outcome {
        Ok(done) => json!({"done": done.count, "more": done.more}),
        Err(error) => {
            eprintln!("{}", call.failed_job(name, error));
            json!({"failed": error.reason().code()})
        }
    }
}
