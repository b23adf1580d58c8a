using System.CommandLine;
using System.Text;
using Runbooks.Web.Incidents;
using RunbookServer.Backtesting;
using RunbookServer.Reporting;

namespace RunbookServer.Commands;

/// <summary><c>runbook backtest</c>: which past incidents go otherwise with the runbooks as they are now.</summary>
internal static class BacktestCommand
{
    public static Command Build()
    {
        var client = new ClientOptions();
        var folder = new RunbookFolderOption();
        var settings = new HostSettingsOption();
        var incidents = new Option<string?>("--incidents") { Description = "A folder with incidents as the API gives them, a JSON file each." };
        var since = new Option<string?>("--since") { Description = "In place of a folder: what has ended on the running host since so long ago (30d) or since a day (2026-11-01)." };
        var save = new Option<string?>("--save") { Description = "With --since: keep them in this folder, for --incidents." };
        var before = new Option<DirectoryInfo?>("--base") { Description = "Compare with the runbooks of this folder, as they were before a change, in place of what the record says." };
        var strict = new Option<bool>("--strict") { Description = "End with 1 when an incident goes otherwise." };
        var format = new Option<string>("--format") { Description = "text; markdown, for a comment on a pull request; json.", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "markdown", "json");
        var command = new Command("backtest", "Plays past incidents with the runbooks as they are now, and tells which go otherwise. Touches nothing.") { incidents, since, save, before, folder, settings, strict, format };
        client.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var services = OfflineServices.Build(host: settings.Of(parsed));
            var now = Load(services, folder.Of(parsed));
            var old = parsed.GetValue(before) is { } named ? Load(services, RunbookFolder.Find(named.FullName)) : null;
            var past = (parsed.GetValue(incidents), parsed.GetValue(since)) switch
            {
                ({ } from, null) => PastIncidents.Read(from),
                (null, { } age) => await FetchAsync(client, parsed, age, parsed.GetValue(save), cancellationToken),
                _ => throw new CommandException("Name either a folder with --incidents, or a time with --since, such as 30d."),
            };
            var results = await new Backtest(now, old, services.GetRequiredService<StepCatalog>()).RunAsync(past, cancellationToken);
            ConsoleOutput.Raw(parsed.GetRequiredValue(format) switch { "json" => Json(results), "markdown" => Markdown(results), _ => Text(results) });
            return parsed.GetValue(strict) && results.Any(result => result.IsOtherwise) ? ExitCode.Failed : ExitCode.Done;
        });
        return command;
    }

    private static IReadOnlyCollection<Runbook> Load(IServiceProvider services, RunbookFolder folder)
    {
        var catalog = new RunbookCatalog(services.GetRequiredService<RunbookReader>());
        var loaded = catalog.Load(folder.Read());
        return loaded.Errors.Count == 0
            ? catalog.Current
            : throw new CommandException($"The runbooks in {folder.Path} have errors; nothing was played.\n{string.Join("\n", loaded.Errors)}", ExitCode.Failed);
    }

    private static async Task<IReadOnlyList<IncidentView>> FetchAsync(ClientOptions client, ParseResult parsed, string age, string? save, CancellationToken cancellationToken)
    {
        var began = DurationText.TryParse(age, out var length) ? TimeProvider.System.GetUtcNow() - length
            : DateTimeOffset.TryParseExact(age, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var day) ? day
            : throw new CommandException($"--since is '{age}'; it has to be {DurationText.Expected}, or a day such as 2026-11-01.");
        using var api = client.Connect(parsed);
        var fetched = await PastIncidents.FetchAsync(api, began, cancellationToken);
        if (save is not null)
        {
            Directory.CreateDirectory(save);
            foreach (var (incident, json) in fetched)
            {
                await File.WriteAllTextAsync(Path.Combine(save, $"{incident.Id}.json"), json, cancellationToken);
            }
        }

        return [.. fetched.Select(one => one.Incident)];
    }

    /// <summary>The one sentence that everybody reads.</summary>
    private static string Summary(IReadOnlyList<BacktestResult> results)
    {
        var (played, otherwise, left) = (results.Count(result => result.LeftOut is null), results.Count(result => result.IsOtherwise), results.Count(result => result.LeftOut is not null));
        return (played == 0 ? "No incident was played: nothing is known." : otherwise == 0 ? $"{CountText.Format(played, "incident")} {(played == 1 ? "goes" : "go")} as before." : $"Of {CountText.Format(played, "incident")}, {otherwise} {(otherwise == 1 ? "goes" : "go")} otherwise.")
            + (left > 0 ? $" {left} left out." : "")
            + (results.Count(result => result.IsHeld) is > 0 and var held ? $" {held} {(held == 1 ? "was" : "were")} played in the stricter mode of the record (dryRun or approveAll): what the runbook does without it is not known." : "");
    }

    private static string Text(IReadOnlyList<BacktestResult> results)
    {
        var text = new StringBuilder();
        foreach (var result in results.Where(result => result.IsOtherwise))
        {
            text.Append($"{result.Incident.Id}  {result.Incident.Runbook} on {IncidentText.Target(result.Incident.Target)}\n    was: {result.Was}\n    is:  {result.Is}\n");
        }

        foreach (var result in results.Where(result => result.LeftOut is not null))
        {
            text.Append($"{result.Incident.Id}  left out: {result.LeftOut}\n");
        }

        return text.Append(Summary(results)).ToString();
    }

    private static string Markdown(IReadOnlyList<BacktestResult> results)
    {
        var text = new StringBuilder($"**Backtest.** {Summary(results)}\n");
        if (results.Any(result => result.IsOtherwise))
        {
            text.Append("\n| incident | runbook | was | is |\n|---|---|---|---|\n");
        }

        foreach (var result in results.Where(result => result.IsOtherwise))
        {
            text.Append($"| {result.Incident.Id} | {MarkdownText.Escape(result.Incident.Runbook)} | {MarkdownText.Escape(result.Was)} | {MarkdownText.Escape(result.Is)} |\n");
        }

        return text.ToString().TrimEnd();
    }

    private static string Json(IReadOnlyList<BacktestResult> results) => new JsonObject
    {
        ["summary"] = Summary(results),
        ["incidents"] = new JsonArray([.. results.Select(result => new JsonObject
        {
            ["id"] = result.Incident.Id,
            ["runbook"] = result.Incident.Runbook,
            ["target"] = result.Incident.Target,
            ["otherwise"] = result.IsOtherwise,
            ["was"] = result.Was,
            ["is"] = result.Is,
            ["leftOut"] = result.LeftOut,
            ["heldTo"] = result.IsHeld ? CamelCase.Of(result.Incident.Mode) : null,
        })]),
    }.ToJsonString(JsonReport.Options);
}
