namespace RunbookServer.Commands;

/// <summary><c>runbook report ID</c>: what happened, as a Markdown document.</summary>
internal static class ReportCommand
{
    public static Command Build()
    {
        var id = ClientOptions.IncidentId();
        var file = new Option<FileInfo?>("--out")
        {
            Description = "Where to write it, for example incident.md; the screen unless named. A file that is there is left as it is.",
        };
        var command = new Command(
            "report",
            "Writes what happened in an incident as a Markdown document: "
            + "summary, impact, times, findings, decisions, steps, what is left to do.")
        {
            id,
            file,
        };
        return ClientOptions.WithHost(command, async (parsed, api, cancellationToken) =>
        {
            var path = $"{ApiClient.PathOf(parsed.GetRequiredValue(id))}/report";
            var (_, body) = (await api.GetMarkdownAsync(path, cancellationToken)).OrFail();
            var report = $"{body}";
            if (parsed.GetValue(file) is not { } chosen)
            {
                ConsoleOutput.Raw(report.TrimEnd());
                return ExitCode.Done;
            }

            NewFile.Write(chosen.FullName, report, "Name another file with --out.");
            ConsoleOutput.Raw($"Written to {chosen.FullName}.");
            return ExitCode.Done;
        });
    }
}
