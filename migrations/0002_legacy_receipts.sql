-- The rule by which a receipt was taken that does not verify as it stands; null for all others.
alter table receipts add column legacy_rule text;
