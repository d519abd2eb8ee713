-- The number that a session without a task looks for on the card, and what it read: whether the card holds another IMSI.
-- No foreign key: without an index of its own, it would read all sessions for each number that is deleted.
ALTER TABLE device_session ADD COLUMN iccid_index BLOB;

ALTER TABLE device_session ADD COLUMN other_imsi INTEGER CHECK (other_imsi IN (0, 1));
