-- Finds the first and the last checkpoint that witnesses cosigned. A log whose witnesses are silent keeps one a minute
-- that none did, and all of those stand between.
create index log_checkpoints_witnessed on log_checkpoints (size) where witnesses > 0;
