using System.Text;
using RunbookServer.Reporting;
using Runbooks.Web.Incidents;

namespace RunbookServer.Commands;

/// <summary><c>runbook backtest</c>: which past incidents go otherwise with the runbooks as they are now.</summary>
internal static class BacktestCommand
{
    public static Command Build()
    {
        var options = new BacktestOptions();
        var command = new Command(
            "backtest", "Plays past incidents with the runbooks as they are now, and tells which go otherwise. Touches nothing.");
        options.AddTo(command);
        command.SetAction((parsed, cancellationToken) => RunAsync(options, parsed, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(BacktestOptions options, ParseResult parsed, CancellationToken cancellationToken)
    {
        await using var services = OfflineServices.Build(host: options.Settings.Of(parsed));
        var now = Load(services, options.Folder.Of(parsed));
        var old = parsed.GetValue(options.Before) is { } named ? Load(services, RunbookFolder.Find(named.FullName)) : null;
        var past = await PastAsync(options, parsed, cancellationToken);
        var results = await new Backtest(now, old, services.GetRequiredService<StepCatalog>()).RunAsync(past, cancellationToken);
        ConsoleOutput.Raw(parsed.GetRequiredValue(options.Format) switch
        {
            "json" => Json(results),
            "markdown" => Markdown(results),
            _ => Text(results),
        });
        var isAsBefore = results.Any(result => result.LeftOut is null) && !results.Any(result => result.IsOtherwise);
        return parsed.GetValue(options.Strict) && !isAsBefore ? ExitCode.Failed : ExitCode.Done;
    }

    private static async Task<IReadOnlyList<IncidentView>> PastAsync(
        BacktestOptions options, ParseResult parsed, CancellationToken cancellationToken)
    {
        var save = parsed.GetValue(options.Save);
        return (parsed.GetValue(options.Incidents), parsed.GetValue(options.Since)) switch
        {
            ({ }, null) when save is not null => throw new CommandException("--save goes with --since."),
            ({ } folder, null) => PastIncidents.Read(folder),
            (null, { } age) => await FetchAsync(options.Client, parsed, age, save, cancellationToken),
            _ => throw new CommandException("Name either a folder with --incidents, or a time with --since, such as 30d."),
        };
    }

    private static IReadOnlyCollection<Runbook> Load(IServiceProvider services, RunbookFolder folder)
    {
        var catalog = new RunbookCatalog(services.GetRequiredService<RunbookReader>());
        var loaded = catalog.Load(folder.Read());
        return loaded.Errors.Count == 0
            ? catalog.Current
            : throw new CommandException(
                $"The runbooks in {folder.Path} have errors; nothing was played.\n{string.Join("\n", loaded.Errors)}", ExitCode.Failed);
    }

    private static async Task<IReadOnlyList<IncidentView>> FetchAsync(
        ClientOptions client, ParseResult parsed, string age, string? save, CancellationToken cancellationToken)
    {
        var began = DurationText.TryParse(age, out var length)
            ? TimeProvider.System.GetUtcNow() - length
            : DateTimeOffset.TryParseExact(age, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var day)
            ? day
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

        return [.. fetched.Select(item => item.Incident)];
    }

    private static string Summary(IReadOnlyList<BacktestResult> results)
    {
        var left = results.Count(result => result.LeftOut is not null);
        var held = results.Count(result => result.IsHeld);
        var leftOut = left > 0 ? $" {left} left out." : "";
        var heldBack = held > 0
            ? $" {held} {CountText.Were(held)} played in the stricter mode of the record (dryRun or approveAll): "
                + "what the runbook does without it is not known."
            : "";
        return $"{Outcome(results.Count - left, results.Count(result => result.IsOtherwise))}{leftOut}{heldBack}";
    }

    private static string Outcome(int played, int otherwise) => (played, otherwise) switch
    {
        (0, _) => "No incident was played: nothing is known.",
        (_, 0) => $"{CountText.Format(played, "incident")} {Go(played)} as before.",
        _ => $"Of {CountText.Format(played, "incident")}, {otherwise} {Go(otherwise)} otherwise.",
    };

    private static string Go(int count) => count == 1 ? "goes" : "go";

    private static string Text(IReadOnlyList<BacktestResult> results)
    {
        var text = new StringBuilder();
        foreach (var result in results.Where(result => result.IsOtherwise))
        {
            var target = CleanText.Line(IncidentText.Target(result.Incident.Target));
            text.Append($"{result.Incident.Id}  {result.Incident.Runbook} on {target}\n")
                .Append($"    was: {CleanText.Line(result.Was)}\n")
                .Append($"    is:  {CleanText.Line(result.Is)}\n");
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
            var cells = new[] { result.Incident.Runbook, result.Was, result.Is }.Select(MarkdownText.Escape);
            text.Append($"| {result.Incident.Id} | {string.Join(" | ", cells)} |\n");
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

internal sealed class BacktestOptions
{
    public BacktestOptions() => Format.AcceptOnlyFromAmong("text", "markdown", "json");

    public Option<string?> Incidents { get; } = new("--incidents")
    {
        Description = "A folder with incidents as the API gives them, a JSON file each.",
    };

    public Option<string?> Since { get; } = new("--since")
    {
        Description = "In place of a folder: what has ended on the running host since so long ago (30d) or since a day (2026-11-01).",
    };

    public Option<string?> Save { get; } = new("--save") { Description = "With --since: keep them in this folder, for --incidents." };

    public Option<DirectoryInfo?> Before { get; } = new("--base")
    {
        Description = "Compare with the runbooks of this folder, as they were before a change, in place of what the record says.",
    };

    public RunbookFolderOption Folder { get; } = new();

    public HostSettingsOption Settings { get; } = new();

    public Option<bool> Strict { get; } = new("--strict") { Description = "End with 1 when an incident goes otherwise, or none was played." };

    public Option<string> Format { get; } = new("--format")
    {
        Description = "text; markdown, for a comment on a pull request; json.",
        DefaultValueFactory = _ => "text",
    };

    public ClientOptions Client { get; } = new();

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[Incidents, Since, Save, Before, Folder, Settings, Strict, Format])
        {
            command.Add(option);
        }

        Client.AddTo(command);
    }
}
