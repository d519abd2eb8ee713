//! What can be undone of what staff and clients do, and by which operation. It is advice for people: whether the operation
//! is still possible is decided when it is called.

use super::{CardStatus, Right, TaskState};

/// How something is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undo {
    /// The right of the operation that undoes it.
    pub right: Right,
    /// How, in Chinese.
    pub zh: &'static str,
    /// How, in English.
    pub en: &'static str,
}

/// Acts that another operation undoes: the act, the operation, and how.
const OPPOSITES: &[(Right, Right, &str, &str)] = &[
    (
        Right::AccountsCreate,
        Right::AccountsFreeze,
        "冻结该账号",
        "freeze the account",
    ),
    (
        Right::AccountsEnrol,
        Right::AccountsEnrol,
        "重新生成启用码，原启用码随即失效",
        "make another code: the one before ends",
    ),
    (
        Right::AccountsFreeze,
        Right::AccountsUpdate,
        "以 active=true 启用；会话与密钥不恢复",
        "enable it with active=true; sessions and keys stay ended",
    ),
    (
        Right::ApiKeysCreate,
        Right::AccountsRevoke,
        "吊销该账号的会话与 API 密钥",
        "end the sessions and API keys of the account",
    ),
    (
        Right::BatchesCreate,
        Right::BatchesStop,
        "停止：尚未执行的行不再执行",
        "stop it: rows that were not carried out stay as they are",
    ),
    (
        Right::BatchesResume,
        Right::BatchesStop,
        "停止：尚未执行的行不再执行",
        "stop it: rows that were not carried out stay as they are",
    ),
    (Right::BatchesStop, Right::BatchesResume, "继续执行", "resume it"),
    (
        Right::ChipsFault,
        Right::ChipsFault,
        "以相反的 faulty 提交",
        "send the other value of faulty",
    ),
    (
        Right::ChipsImport,
        Right::ImportsWithdraw,
        "撤回该次导入",
        "withdraw the import",
    ),
    (
        Right::ClientsCreate,
        Right::ClientsUpdate,
        "以 active=false 停用",
        "disable it with active=false",
    ),
    (
        Right::ClientsFreeze,
        Right::ClientsUnfreeze,
        "解除冻结，并更换密钥",
        "unfreeze it, and make a new secret",
    ),
    (
        Right::ClientsRevokeSecret,
        Right::ClientsRotateSecret,
        "生成新密钥",
        "make a new secret",
    ),
    (
        Right::ClientsRotateSecret,
        Right::ClientsRevokeSecret,
        "吊销新密钥",
        "revoke the new secret",
    ),
    (
        Right::ClientsUnfreeze,
        Right::ClientsFreeze,
        "再次冻结",
        "freeze it again",
    ),
    (
        Right::IncidentsClose,
        Right::IncidentsOpen,
        "重新登记",
        "open it anew",
    ),
    (
        Right::IncidentsOpen,
        Right::IncidentsClose,
        "关闭该异常",
        "close the incident",
    ),
    (
        Right::NumbersAllot,
        Right::NumbersRelease,
        "放回号池",
        "put the numbers back into the pool",
    ),
    (
        Right::NumbersImport,
        Right::ImportsWithdraw,
        "撤回该次导入",
        "withdraw the import",
    ),
    (
        Right::NumbersRelease,
        Right::NumbersAllot,
        "重新划拨",
        "allot the numbers again",
    ),
    (
        Right::NumbersResume,
        Right::NumbersSuspend,
        "停用码号",
        "suspend the numbers",
    ),
    (
        Right::NumbersSuspend,
        Right::NumbersResume,
        "恢复码号",
        "resume the numbers",
    ),
    (
        Right::ReceiversRotateSecret,
        Right::ReceiversRotateSecret,
        "以 replace 更换新密钥",
        "replace the new secret with replace",
    ),
    (
        Right::RolesCreate,
        Right::RolesDelete,
        "删除该角色",
        "delete the role",
    ),
    (
        Right::RolesDelete,
        Right::RolesCreate,
        "以变更前的权限重新创建",
        "make it again with the rights of before",
    ),
];

/// Acts that are undone by the same operation with the values of before.
const REVERSIBLE: [Right; 6] = [
    Right::AccountsUpdate,
    Right::ChipsCorrect,
    Right::ClientsUpdate,
    Right::PoolsUpdate,
    Right::ReceiversUpdate,
    Right::RolesUpdate,
];

impl Undo {
    /// How an act of staff with this right is undone; none for one that changes nothing, or that nothing undoes.
    #[must_use]
    pub fn of_act(act: Right) -> Option<Self> {
        if REVERSIBLE.contains(&act) {
            return Some(Self {
                right: act,
                zh: "以变更前的值再次提交",
                en: "send the values of before",
            });
        }
        let row = OPPOSITES.iter().find(|(of, ..)| *of == act);
        row.map(|&(_, right, zh, en)| Self { right, zh, en })
    }

    /// How an application is undone, by the state of its task and, of the latest task of a card, by that of the card.
    #[must_use]
    pub fn of_application(task: TaskState, card: Option<CardStatus>) -> Option<Self> {
        match (task, card) {
            (TaskState::Waiting | TaskState::Writing, _) => Some(Self {
                right: Right::TasksEnd,
                zh: "终止任务",
                en: "end the task",
            }),
            (TaskState::Succeeded, Some(CardStatus::Written)) => Some(Self {
                right: Right::ChipsReopen,
                zh: "已写卡：重新开放后可改写其他运营号",
                en: "the card is written: reopen it, so that another number can be written",
            }),
            _ => None,
        }
    }

    /// How the report of a chip's fault by a client is undone.
    pub const OF_CHIP_FAULT: Self = Self {
        right: Right::IncidentsClose,
        zh: "关闭由此登记的异常",
        en: "close the incident that it opened",
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Acts that nothing undoes.
    const FOR_GOOD: [Right; 21] = [
        Right::AccountsRevoke,
        Right::AlertsNote,
        Right::ApiKeysRevoke,
        Right::ApprovalsRefuse,
        Right::CallbacksProbe,
        Right::CallbacksResend,
        Right::ChipsDestroy,
        Right::ChipsReopen,
        Right::ChipsReplace,
        Right::ChipsReprovision,
        Right::ChipsTopUp,
        Right::ClientsClose,
        Right::ClientsRevokeTokens,
        Right::ClockConfirm,
        Right::ImportsWithdraw,
        Right::IncidentsEscalate,
        Right::IncidentsFinalReport,
        Right::IncidentsReport,
        Right::NumbersEndQuarantine,
        Right::NumbersRetire,
        Right::TasksEnd,
    ];

    #[test]
    fn each_act_that_changes_something_is_undone_by_another_or_by_none() {
        for right in Right::ALL {
            let is_undone = right.changes() && !FOR_GOOD.contains(right);
            let undo = Undo::of_act(*right);
            assert_eq!(undo.is_some(), is_undone, "{}", right.code());
            assert!(undo.is_none_or(|undo| undo.right.changes()), "{}", right.code());
        }
    }

    #[test]
    fn an_application_is_undone_by_the_state_of_its_task() {
        let right = |task, card| Undo::of_application(task, card).map(|undo| undo.right);
        for task in TaskState::ALL {
            let expected = match task {
                TaskState::Waiting | TaskState::Writing => Some(Right::TasksEnd),
                TaskState::Succeeded => Some(Right::ChipsReopen),
                TaskState::Failed | TaskState::Cancelled => None,
            };
            assert_eq!(right(task, Some(CardStatus::Written)), expected, "{task:?}");
        }
        // Another task of the card came later, or the card was reopened.
        assert_eq!(right(TaskState::Succeeded, None), None);
        assert_eq!(right(TaskState::Succeeded, Some(CardStatus::ToWrite)), None);
    }
}
