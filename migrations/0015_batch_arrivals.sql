-- What came to this service before is certified, whatever its time: late calls have an early one.
alter table receipt_coverage add column arrived_until timestamptz;
