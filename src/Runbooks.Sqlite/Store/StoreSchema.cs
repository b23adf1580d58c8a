namespace Runbooks.Sqlite.Store;

/// <summary>The tables of the store. A later version adds a member to <see cref="Versions"/>; none is ever edited.</summary>
internal static class StoreSchema
{
    public const string Part = "store";

    public static readonly string[] Versions =
    [
        // doc is last: listings read the small columns and never touch the pages that a large document fills.
        """
        CREATE TABLE incidents (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            runbook TEXT NOT NULL,
            state TEXT NOT NULL,
            open INTEGER NOT NULL,
            opened_at INTEGER NOT NULL,
            closed_at INTEGER,
            version INTEGER NOT NULL,
            summary BLOB NOT NULL,
            doc BLOB NOT NULL
        );
        CREATE INDEX incidents_by_time ON incidents (opened_at, seq);
        CREATE INDEX incidents_by_state ON incidents (state, opened_at, seq);
        CREATE INDEX incidents_by_runbook ON incidents (runbook, opened_at, seq);
        CREATE INDEX incidents_open ON incidents (opened_at, seq) WHERE open=1;
        CREATE INDEX incidents_closed ON incidents (closed_at) WHERE closed_at IS NOT NULL;
        CREATE TABLE claims (
            runbook TEXT NOT NULL,
            target TEXT NOT NULL,
            incident TEXT NOT NULL,
            PRIMARY KEY (runbook, target)
        ) WITHOUT ROWID;
        CREATE INDEX claims_by_incident ON claims (incident);
        CREATE TABLE runbooks (hash TEXT PRIMARY KEY, doc BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE shared (key TEXT PRIMARY KEY, version INTEGER NOT NULL, doc BLOB NOT NULL) WITHOUT ROWID;
        """,
        """
        CREATE TABLE alerts (
            identity TEXT NOT NULL,
            incident TEXT NOT NULL,
            PRIMARY KEY (identity, incident)
        ) WITHOUT ROWID;
        CREATE INDEX alerts_by_incident ON alerts (incident);
        """,

        // From here on the column open is 1 while the automation runs it, 2 when it has ended and is left to people, 0 when it is over.
        """
        UPDATE incidents SET open=2 WHERE state='TakenOver' AND json_extract(CAST(summary AS TEXT), '$.driven');
        CREATE INDEX incidents_left_to_people ON incidents (opened_at, seq) WHERE open=2;
        """,
    ];
}
