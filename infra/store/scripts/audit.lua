-- Keeps an entry of the audit. ARGV: how many are kept, the entry. Returns its number.
return keep_audit(ARGV[1], ARGV[2])
