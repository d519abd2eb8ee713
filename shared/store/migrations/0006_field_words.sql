-- The tables, columns and codes get the names of the field. Nothing is lost and nothing is counted anew.
--
-- Sealed columns stay bound to the names they were sealed under: see the constants of type Column in the store.

ALTER TABLE outbox RENAME TO message;

ALTER TABLE outbox_attempt RENAME TO message_attempt;

ALTER TABLE message_attempt RENAME COLUMN outbox_id TO message_id;

ALTER TABLE stranger RENAME TO ip_throttle;

-- A bit for each notice that was given: severe, not settled in time, not reported in time, no final report in time.
ALTER TABLE incident RENAME COLUMN told TO notices;

DROP INDEX outbox_lane;

DROP INDEX outbox_leased;

DROP INDEX outbox_task;

DROP INDEX outbox_receiver;

DROP INDEX outbox_dead;

DROP INDEX outbox_failed;

DROP INDEX outbox_finished;

DROP INDEX stranger_full;

-- A receiver's pending messages in the order in which they are due; the first columns also find the receivers.
CREATE INDEX message_due ON message (receiver_id, next_at, id) WHERE state = 'pending';

-- Messages in flight.
CREATE INDEX message_leased ON message (receiver_id, lease_until) WHERE state = 'pending' AND lease_until > 0;

-- The pending messages about a task, which are sent one after the other.
CREATE INDEX message_task ON message (task_id, id) WHERE state = 'pending';

-- All messages of a receiver, for looking them up and sending them again.
CREATE INDEX message_receiver ON message (receiver_id, id);

-- Dead messages of a receiver.
CREATE INDEX message_dead ON message (receiver_id, id) WHERE state = 'dead';

-- Dead messages by the time at which they were given up.
CREATE INDEX message_failed ON message (finished_at, id) WHERE state = 'dead';

-- Messages that are kept for a while and then destroyed.
CREATE INDEX message_finished ON message (finished_at) WHERE finished_at IS NOT NULL;

CREATE INDEX ip_throttle_full ON ip_throttle (full_at);

-- Names of jobs.
UPDATE job SET name = CASE name WHEN 'callbacks' THEN 'messages' ELSE 'ip_throttles' END
    WHERE name IN ('callbacks', 'strangers');

UPDATE alert SET subject = CASE subject WHEN 'job:callbacks' THEN 'job:messages' ELSE 'job:ip_throttles' END
    WHERE subject IN ('job:callbacks', 'job:strangers');
