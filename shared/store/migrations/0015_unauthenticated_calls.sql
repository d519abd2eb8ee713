-- Applications for provinces that are not served, by month and province.
CREATE TABLE unserved_application (
    month TEXT NOT NULL,
    province TEXT NOT NULL,
    applications INTEGER NOT NULL CHECK (applications > 0),
    PRIMARY KEY (month, province)
) STRICT;

-- Which secret of the client a call proved, by its generation.
ALTER TABLE call_log ADD COLUMN secret_generation INTEGER;
