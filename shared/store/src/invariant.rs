//! What must hold between the rows of a platform, whatever has happened. Checked of every backup that is verified, and by
//! the tests of the operations.

use super::{Database, DbError, Run as _, audit, first};

/// A rule in Chinese and English, and how many rows break it.
type Rule = ([&'static str; 2], &'static str);

/// In forms that both engines take.
#[rustfmt::skip]
const RULES: [Rule; 13] = [
    (["空闲码号不属于任何芯片或任务，也未下发过", "a free number belongs to no chip and no task, and no gateway has sent it"],
        "SELECT COUNT(*) AS n FROM number WHERE status IN ('available', 'allotted') \
         AND (eid_index IS NOT NULL OR task_id IS NOT NULL OR exposed = 1 OR written_at IS NOT NULL)"),
    (["已划拨的码号不在码号池中，码号池中的码号不属于任何业务需求方",
        "a number that is allotted to a client is never in the pool, and one of the pool is nobody's"],
        "SELECT COUNT(*) AS n FROM number WHERE (status = 'available' AND client_id IS NOT NULL) \
         OR (status = 'allotted' AND client_id IS NULL)"),
    (["已预留的码号属于一个芯片，没有任务时仅当可能已写入该芯片",
        "a reserved number belongs to a chip, and without a task only when it may be on it"],
        "SELECT COUNT(*) AS n FROM number WHERE status = 'reserved' \
         AND (eid_index IS NULL OR (task_id IS NULL AND exposed = 0))"),
    (["没有芯片的码号未下发过", "a number without a chip was sent to none"],
        "SELECT COUNT(*) AS n FROM number WHERE eid_index IS NULL \
         AND (exposed = 1 OR task_id IS NOT NULL OR written_at IS NOT NULL)"),
    (["一个 IMSI 只属于一个码号", "an IMSI belongs to one number"],
        "SELECT COUNT(*) AS n FROM (SELECT imsi_index FROM number GROUP BY imsi_index HAVING COUNT(*) > 1) AS twice"),
    (["一个 MSISDN 只属于一个码号", "an MSISDN belongs to one number"],
        "SELECT COUNT(*) AS n FROM (SELECT msisdn_index FROM number GROUP BY msisdn_index HAVING COUNT(*) > 1) AS twice"),
    (["一个芯片至多持有一个已写入的码号", "a chip holds at most one written number"],
        "SELECT COUNT(*) AS n FROM (SELECT eid_index FROM number WHERE written_at IS NOT NULL GROUP BY eid_index \
         HAVING COUNT(*) > 1) AS twice"),
    (["一个芯片至多有一个未结束的任务", "a chip has at most one open task"],
        "SELECT COUNT(*) AS n FROM (SELECT eid_index FROM task WHERE state IN ('waiting', 'writing') \
         GROUP BY eid_index HAVING COUNT(*) > 1) AS twice"),
    (["未结束的任务恰有其码号，该码号为其芯片预留或已停用",
        "an open task has exactly its number, and that is reserved for its chip or out of use"],
        "SELECT COUNT(*) AS n FROM task t WHERE state IN ('waiting', 'writing') AND (SELECT COUNT(*) FROM number n \
         WHERE n.task_id = t.id AND n.status IN ('reserved', 'suspended', 'retired') AND n.written_at IS NULL \
         AND n.eid_index = t.eid_index AND n.iccid_index = t.iccid_index) <> 1"),
    (["已结束的任务不占用码号，除非该码号由其写入", "no number is bound to a finished task, unless that wrote it"],
        "SELECT COUNT(*) AS n FROM number n JOIN task t ON t.id = n.task_id \
         WHERE t.state NOT IN ('waiting', 'writing') AND (t.state <> 'succeeded' OR n.written_at IS NULL)"),
    (["卡片处于待开机上电或写卡中，当且仅当有未结束的任务",
        "a card waits or is written exactly while a task is open"],
        "SELECT COUNT(*) AS n FROM chip c WHERE (CASE WHEN status IN (2, 3) THEN 1 ELSE 0 END) <> \
         (SELECT COUNT(*) FROM task t WHERE t.eid_index = c.eid_index \
         AND (t.state = 'waiting' AND c.status = 2 OR t.state = 'writing' AND c.status = 3))"),
    (["卡片记录没有缺漏", "the history has no gap"],
        "SELECT COUNT(*) AS n FROM card_history h LEFT JOIN card_history p ON p.eid_index = h.eid_index \
         AND p.seq = h.seq - 1 WHERE h.from_status IS DISTINCT FROM p.to_status"),
    (["卡片记录的最后一步即卡片当前状态", "the last step leads to the card's state"],
        "SELECT COUNT(*) AS n FROM chip c WHERE status <> (SELECT to_status FROM card_history h \
         WHERE h.eid_index = c.eid_index ORDER BY seq DESC LIMIT 1)"),
];

/// A rule that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The rule in Chinese.
    pub zh: &'static str,
    /// The rule in English.
    pub en: &'static str,
    /// How many rows break it.
    pub rows: u64,
}

/// The rules that do not hold.
pub async fn broken<D: Database>(db: &D) -> Result<Vec<Broken>, DbError> {
    let mut found = Vec::new();
    for ([zh, en], sql) in RULES {
        let rows = first(&db.run(sql, &[]).await?, |row| row.unsigned(0))?.unwrap_or(0);
        if rows > 0 {
            found.push(Broken { zh, en, rows });
        }
    }
    let (_, _, _, faults) = audit::verified(db, &[], &[]).await?;
    if !faults.is_empty() {
        found.push(Broken {
            zh: "审计记录的每一行都接续前一行",
            en: "every row of the audit trail follows the one before it",
            rows: faults.len() as u64,
        });
    }
    Ok(found)
}
