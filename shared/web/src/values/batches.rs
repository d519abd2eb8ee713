//! Words of batches.

use super::words::words;
use domain::{BatchKind as KindOfBatch, BatchResult as ResultOfRow, BatchState as StateOfBatch};

words! {
    /// What a batch does to each of its rows.
    pub BatchKind = KindOfBatch {
        values: KindOfBatch::ALL.iter().copied(),
        about: "操作：apply 申请写卡，cancel 取消申请，end 终止写卡任务，allot 划拨码号，suspend 码号停机，retire 码号销户 / apply: applies for \
                writing; cancel: withdraws applications; end: ends open tasks; allot: allots numbers; suspend: suspends numbers; \
                retire: retires numbers for ever",
        wrong: "应为 apply、cancel、end、allot、suspend 或 retire", "not apply, cancel, end, allot, suspend or retire",
    }

    /// What a batch does now.
    pub BatchState = StateOfBatch {
        values: StateOfBatch::ALL.iter().copied(),
        about: "状态：running 执行中，paused 暂停并自动重试，done 已完成，stopped 已停止 / running: its rows are carried out; paused: it \
                waits, and tries again by itself; done: every row has its result; stopped: a person has stopped it",
        wrong: "没有这种状态", "no such state",
    }

    /// What became of a row.
    pub BatchResult = ResultOfRow {
        values: ResultOfRow::ALL.iter().copied(),
        about: "结果：done 已执行，unchanged 此前已是该状态，refused 被拒绝 / done: it was carried out; unchanged: it was so \
                already; refused: it was refused",
        wrong: "应为 done、unchanged 或 refused", "not done, unchanged or refused",
    }
}
