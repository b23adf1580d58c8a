using System.Text.Json.Nodes;
using Runbooks.Catalog.Schema;

namespace Runbooks.Guardrails;

/// <summary>JSON Schema of <c>windows.yaml</c>; <see cref="MaintenanceFile"/> stays the judge.</summary>
public static class MaintenanceSchema
{
    public static JsonObject Create() => SchemaParts.Document("Maintenance windows", "When the automation leaves targets alone.", new()
    {
        ["windows"] = SchemaParts.List(SchemaParts.Mapping("A window.", new()
        {
            ["name"] = SchemaParts.Text("As people see it."),
            ["start"] = SchemaParts.Text("Wall-clock time in the window's own time zone, such as 2026-11-01T02:00:00."),
            ["duration"] = SchemaParts.Duration("How long it lasts, at most 30d:"),
            ["repeat"] = SchemaParts.Text("A recurrence rule of RFC 5545, such as FREQ=WEEKLY;BYDAY=SU; once when left out."),
            ["timeZone"] = SchemaParts.Text("An IANA name, such as Europe/Berlin. Default: UTC."),
            ["effect"] = SchemaParts.Choice<MaintenanceEffect>("What happens meanwhile. Default: diagnoseOnly."),
            ["runbooks"] = SchemaParts.Words("Ids, or patterns with * and ?; every runbook when left out."),
        }, "name", "start", "duration"), "All windows."),
    }, "windows");
}
