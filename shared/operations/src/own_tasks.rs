//! §5.3.1.1: the tasks of a client, for itself.

use super::task_list::{TaskFilter, TaskListPage, list_tasks};
use super::{Caller, Context};
use domain::error::{Error, Reason};
use store::{Database, task};

/// Finds tasks of the caller, the latest first. A chip or number of another client has none.
///
/// # Errors
/// [`Reason::UnknownTask`] for a task that is named and is not there, or another client's.
pub async fn own_tasks<D: Database>(
    cx: &Context<'_, D>,
    caller: &Caller,
    filter: TaskFilter,
) -> Result<TaskListPage, Error> {
    if let Some(id) = filter.task_id {
        let task = task::by_id(cx.db, id).await?;
        task.filter(|task| task.client_id == caller.id)
            .ok_or(Reason::UnknownTask)?;
    }
    let filter = TaskFilter {
        client_id: Some(caller.id.clone()),
        ..filter
    };
    list_tasks(cx, &filter).await
}
