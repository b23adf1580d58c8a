using System.CommandLine;
using RunbookServer.Terminal;

namespace RunbookServer.Commands;

/// <summary><c>runbook report ID</c>: what happened, as a Markdown document.</summary>
internal static class ReportCommand
{
    public static Command Build()
    {
        var client = new ClientOptions();
        var id = ClientOptions.IncidentId();
        var file = new Option<FileInfo?>("--out") { Description = "Where to write it, for example incident.md; the screen unless named." };
        var command = new Command("report", "Writes what happened in an incident as a Markdown document: summary, impact, times, findings, decisions, steps, what is left to do.") { id, file };
        client.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var api = client.Connect(parsed);
            var (_, body) = (await api.GetMarkdownAsync($"api/incidents/{Uri.EscapeDataString(parsed.GetRequiredValue(id))}/report", cancellationToken)).OrFail();
            var report = $"{body}";
            if (parsed.GetValue(file) is not { } chosen)
            {
                ConsoleOutput.Raw(report.TrimEnd());
                return ExitCode.Done;
            }

            await File.WriteAllTextAsync(chosen.FullName, report, cancellationToken);
            ConsoleOutput.Raw($"Written to {chosen.FullName}.");
            return ExitCode.Done;
        });
        return command;
    }
}
