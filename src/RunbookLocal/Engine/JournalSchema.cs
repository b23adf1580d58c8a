namespace RunbookLocal.Engine;

/// <summary>The engine's tables. Instances have a small key of their own: journals of one time lie side by side on disk.</summary>
internal static class JournalSchema
{
    public const string Version1 = """
        CREATE TABLE engine_instances (
            key           INTEGER PRIMARY KEY,
            id            TEXT NOT NULL UNIQUE,
            workflow      TEXT NOT NULL,
            status        TEXT NOT NULL,
            parked        INTEGER NOT NULL DEFAULT 0, -- 1: waits for nothing but timers and events
            custom_status TEXT,
            failure       TEXT,
            finished_at   INTEGER
        );
        CREATE INDEX engine_unparked ON engine_instances (key) WHERE status = 'Running' AND parked = 0;
        CREATE INDEX engine_finished ON engine_instances (finished_at) WHERE finished_at IS NOT NULL;
        CREATE TABLE engine_history (
            instance INTEGER NOT NULL,
            seq      INTEGER NOT NULL,
            kind     TEXT NOT NULL,
            at       INTEGER NOT NULL, -- ticks, UTC
            task     INTEGER NOT NULL,
            name     TEXT,
            data     TEXT,
            PRIMARY KEY (instance, seq)
        ) WITHOUT ROWID;
        CREATE TABLE engine_timers (
            instance INTEGER NOT NULL,
            task     INTEGER NOT NULL,
            due      INTEGER NOT NULL, -- ticks, UTC
            PRIMARY KEY (instance, task)
        ) WITHOUT ROWID;
        CREATE INDEX engine_timers_due ON engine_timers (due);
        """;
}
