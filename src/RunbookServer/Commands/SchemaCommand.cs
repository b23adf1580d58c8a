using Runbooks.Catalog.Schema;
using Runbooks.Guardrails;

namespace RunbookServer.Commands;

/// <summary><c>runbook schema [KIND]</c>: the JSON Schema of a file, for editors.</summary>
internal static class SchemaCommand
{
    private static readonly Dictionary<string, Func<IServiceProvider, JsonObject>> s_kinds = new(StringComparer.Ordinal)
    {
        ["runbook"] = services => services.GetRequiredService<RunbookSchema>().Create(),
        ["test"] = _ => TestSchema.Create(),
        ["contacts"] = services => ActivatorUtilities.CreateInstance<ContactsSchema>(services).Create(),
        ["windows"] = _ => MaintenanceSchema.Create(),
        ["team"] = _ => TeamSchema.Create(),
        ["team-contacts"] = services => ActivatorUtilities.CreateInstance<ContactsSchema>(services).Create(ofTeam: true),
    };

    public static IReadOnlyCollection<string> Kinds => s_kinds.Keys;

    public static Command Build()
    {
        var kind = new Argument<string>("kind") { Description = "Which file: runbook (with every check and action of this host), test, contacts, windows, team or team-contacts.", DefaultValueFactory = _ => "runbook" };
        kind.AcceptOnlyFromAmong([.. s_kinds.Keys]);
        var command = new Command("schema", "Prints the JSON Schema of a file, for editors.") { kind };
        command.SetAction(parsed =>
        {
            using var services = OfflineServices.Build();
            ConsoleOutput.Json(s_kinds[parsed.GetRequiredValue(kind)](services));
            return ExitCode.Done;
        });
        return command;
    }
}
