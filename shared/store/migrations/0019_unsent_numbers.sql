-- The one session that was given the number to write it to its card; null when several were, and for rows of before.
ALTER TABLE number ADD COLUMN sole_session TEXT;
