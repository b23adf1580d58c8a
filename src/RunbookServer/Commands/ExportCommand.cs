using RunbookServer.Export;
using Runbooks.Web.Incidents;

namespace RunbookServer.Commands;

/// <summary><c>runbook export ID</c>: a finished incident as a test of its runbook.</summary>
internal static class ExportCommand
{
    public static Command Build()
    {
        var id = ClientOptions.IncidentId("The id of an incident that has ended.");
        var file = new Option<FileInfo?>("--out") { Description = "Where to write it, for example runbooks/tests/hanged-gpu/that-night/test.yaml; the screen unless named." };
        return ClientOptions.WithHost(new Command("export", "Turns a finished incident into a test of its runbook.") { id, file }, async (parsed, api, cancellationToken) =>
        {
            var path = $"api/incidents/{Uri.EscapeDataString(parsed.GetRequiredValue(id))}";
            var (_, body) = (await api.GetAsync(path, cancellationToken)).OrFail();
            var incident = PastIncidents.Parse(body?.ToJsonString() ?? "", "The host's answer");
            if (!incident.Final)
            {
                throw new CommandException($"Incident {incident.Id} has not ended, it is {CamelCase.Of(incident.State)}; a test needs an end. Try again when it has one.", ExitCode.Failed);
            }

            var text = Header(incident) + TestScriptWriter.Write(IncidentTestWriter.Of(incident));
            if (parsed.GetValue(file) is { } chosen)
            {
                NewFile.Write(chosen.FullName, text, "Name another file with --out.");
                ConsoleOutput.Raw($"Written to {chosen.FullName}. Run it with: runbook test");
            }
            else
            {
                ConsoleOutput.Raw(text.TrimEnd());
            }

            return ExitCode.Done;
        });
    }

    private static string Header(IncidentView incident) => string.Create(CultureInfo.InvariantCulture, $"""
        # Incident {incident.Id} of {incident.OpenedAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC, exported.
        # Runbook {incident.Runbook}, version {incident.RunbookVersion[..12]}.

        """).ReplaceLineEndings("\n");
}
