//! The handlers that requests of these tests reach: one for each kind of caller and of body. Only those under
//! `/v1/refusal` and `/v1/failure` refuse, so a refusal of another one comes from around it.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::extract::permits::{WriteApply, WriteCancel, WriteStatus};
use crate::extract::{
    AnyBody, Anyone, Call, Caller, Gateway, Json, Ndjson, Operator, Query, Segment, Staff, Table, Timer,
    rights,
};
use crate::parameters::TaskOrEid;
use crate::{Answer, CsvFile, Refusal, Routes, Success, routes};
use domain::error::{Error, Reason};
use operations::TaskRef;

/// The cause of the failure under `/v1/failure`: no caller may learn it, and nobody the whole EID.
pub(super) const CAUSE: &str = "open /var/data/x.db: chip 89086030202200000022000000000090";

pub(super) fn router() -> Routes {
    Routes::new()
        .routes(routes!(token as "token", token_by_post as "token"))
        .routes(routes!(success as "success"))
        .routes(routes!(refusal as "refusal"))
        .routes(routes!(failure as "failure"))
        .routes(routes!(from as "from"))
        .routes(routes!(status as "write.status"))
        .routes(routes!(cancel as "write.cancel"))
        .routes(routes!(apply as "write.apply"))
        .routes(routes!(cron as "cron", cron_by_post as "cron"))
        .routes(routes!(clients as "admin.clients"))
        .routes(routes!(incident as "admin.incidents.report"))
        .routes(routes!(import as "admin.numbers.import"))
        .routes(routes!(records as "ingest.usage"))
        .routes(routes!(keys as "gateway.keys"))
        .routes(routes!(file as "file"))
        .routes(routes!(chip as "chip"))
}

/// What a handler saw of its request.
#[derive(Serialize, ToSchema)]
struct Seen {
    seen: String,
}

fn seen(seen: impl Into<String>) -> Answer<Seen> {
    Ok(Success::new(Seen { seen: seen.into() }))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Credentials {
    client_id: String,
    #[param(max_length = 256)]
    client_secret: String,
}

#[utoipa::path(get, path = "/v1/token")]
async fn token(_: Anyone, Query(sent): Query<Credentials>) -> Answer<Seen> {
    seen(format!("{}/{}", sent.client_id, sent.client_secret))
}

#[utoipa::path(post, path = "/v1/token")]
async fn token_by_post(caller: Anyone, sent: Query<Credentials>) -> Answer<Seen> {
    token(caller, sent).await
}

#[derive(Serialize, ToSchema)]
struct Issued {
    token: &'static str,
    expire_time: u32,
}

#[utoipa::path(get, path = "/v1/success")]
async fn success(_: Anyone) -> Answer<Issued> {
    Ok(Success::new(Issued {
        token: "t",
        expire_time: 86_400,
    }))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Why {
    reason: String,
}

#[utoipa::path(get, path = "/v1/refusal")]
async fn refusal(_: Anyone, Query(why): Query<Why>) -> Answer<Seen> {
    Err(Reason::from_code(&why.reason).unwrap().into())
}

#[utoipa::path(get, path = "/v1/failure")]
async fn failure(_: Anyone) -> Answer<Seen> {
    Err(Error::internal(CAUSE).into())
}

#[utoipa::path(get, path = "/v1/from")]
async fn from(call: Call, _: Anyone) -> Answer<Seen> {
    seen(call.from.to_string())
}

#[utoipa::path(get, path = "/v1/write/status", params(TaskOrEid))]
async fn status(caller: Caller<WriteStatus>, _: Query<TaskOrEid>) -> Answer<Seen> {
    seen(caller.id.as_str())
}

#[utoipa::path(get, path = "/v1/write/cancel", params(TaskOrEid))]
async fn cancel(call: Call, caller: Caller<WriteCancel>, Query(which): Query<TaskOrEid>) -> Answer<Seen> {
    match which.task(&call, &caller).await? {
        TaskRef::Eid(eid) => seen(eid.as_str()),
        TaskRef::Task(id) => seen(id.text()),
    }
}

#[utoipa::path(get, path = "/v1/write/apply", params(TaskOrEid))]
async fn apply(caller: Caller<WriteApply>, _: Query<TaskOrEid>) -> Answer<Seen> {
    seen(caller.id.as_str())
}

#[utoipa::path(get, path = "/internal/cron")]
async fn cron(_: Timer) -> Answer<Seen> {
    seen("")
}

#[utoipa::path(post, path = "/internal/cron")]
async fn cron_by_post(_: Timer, AnyBody(body): AnyBody) -> Answer<Seen> {
    seen(text(&body))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewClient {
    name: String,
}

#[utoipa::path(post, path = "/admin/v1/clients")]
async fn clients(_: Staff<rights::ClientsCreate>, Json(new): Json<NewClient>) -> Answer<Seen> {
    seen(new.name)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Incident {
    id: String,
    text: Option<String>,
}

#[utoipa::path(
    post,
    path = "/admin/v1/incidents:report",
    operation_id = "admin.incidents.report"
)]
async fn incident(_: Staff<rights::IncidentsReport>, Json(sent): Json<Incident>) -> Answer<Seen> {
    seen(format!("{} {}", sent.id, sent.text.unwrap_or_default()))
}

#[utoipa::path(
    post,
    path = "/admin/v1/numbers:import",
    operation_id = "admin.numbers.import"
)]
async fn import(_: Staff<rights::NumbersImport>, Table(file): Table) -> Answer<Seen> {
    seen(text(&file))
}

#[utoipa::path(post, path = "/ingest/v1/usage")]
async fn records(_: Operator, Ndjson(lines): Ndjson) -> Answer<Seen> {
    seen(text(&lines))
}

#[utoipa::path(post, path = "/internal/gateway/keys")]
async fn keys(_: Gateway, AnyBody(body): AnyBody) -> Answer<Seen> {
    seen(text(&body))
}

#[utoipa::path(get, path = "/v1/file")]
async fn file(_: Anyone) -> Result<CsvFile, Refusal> {
    Ok(CsvFile {
        name: "incidents-2026-07.csv".to_owned(),
        text: "code,name\r\nstuck_writing,写卡中\r\n".to_owned(),
    })
}

#[utoipa::path(get, path = "/v1/chips/{eid}")]
async fn chip(_: Anyone, Segment(eid): Segment<domain::Eid>) -> Answer<Seen> {
    seen(eid.as_str())
}
