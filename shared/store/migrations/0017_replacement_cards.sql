-- The data card whose MSISDN this one takes over once it is verified. Until then its own index of an MSISDN is that of its
-- ICCID, because one MSISDN belongs to one number.
ALTER TABLE number ADD COLUMN replaces_index BLOB REFERENCES number (iccid_index);

CREATE INDEX number_replaces ON number (replaces_index) WHERE replaces_index IS NOT NULL;
