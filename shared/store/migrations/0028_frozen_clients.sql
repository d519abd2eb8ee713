-- Since when nothing is sent to the receiver: its client is frozen.
ALTER TABLE receiver ADD COLUMN held_at INTEGER;

-- Since when a client is closed for good.
ALTER TABLE client ADD COLUMN closed_at INTEGER;
