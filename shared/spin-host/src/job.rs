//! The end of a job of the periodic work: it is noted, logged when it failed, and told.

use serde_json::{Value, json};

use super::database::Connection;
use domain::error::Error;
use operations::{Done, JobLog, record_run};
use web::Call;

/// Notes in the diary what came of a job, and returns it as the answer to a tick says it.
///
/// That it cannot be noted is logged: it undoes nothing of what the job did.
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
