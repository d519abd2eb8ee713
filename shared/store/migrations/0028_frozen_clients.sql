-- Since when nothing is sent to the receiver: its client is frozen.
ALTER TABLE receiver ADD COLUMN held_at INTEGER;
