using System.Diagnostics;
using System.Text.RegularExpressions;
using Runbooks.Guardrails;
using Runbooks.Model.Alerts;

namespace RunbookServer.Commands;

internal sealed class PublishOptions
{
    public Argument<DirectoryInfo?> Folder { get; } = new("dir")
    {
        Description = "The folder of runbooks, with contacts and maintenance windows beside them; ./runbooks unless named.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public Option<string> To { get; } = new("--to")
    {
        Description = "The address of the blob container that hosts read, or a folder. "
            + "For a container sign in with az login, a managed identity or a pipeline's; "
            + "or Storage:ConnectionString in --config or RUNBOOK_Storage__ConnectionString.",
        Required = true,
    };

    public Option<string?> Contacts { get; } = new("--contacts")
    {
        Description = "The contacts file, where it is not in the folder. Without either, the contacts that are in force stay.",
    };

    public HostSettingsOption Settings { get; } = new();

    public Option<bool> Strict { get; } = new("--strict") { Description = "Warnings count as errors." };

    public Option<bool> NoTests { get; } = new("--no-tests") { Description = "Does not run the tests beside the runbooks." };

    public Option<bool> DryRun { get; } = new("--dry-run")
    {
        Description = "Checks, tests and prints what would change; publishes nothing.",
    };

    public Option<bool> List { get; } = new("--list")
    {
        Description = $"Prints the publications that can be gone back to, the newest first; {PublicationLog.Kept} are kept.",
    };

    public Option<string?> RollBack { get; } = new("--roll-back")
    {
        Description = "Puts an earlier set in force again, as a publication of its own: by number, by version, or the one before.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public Option<string?> Reason { get; } = new("--reason") { Description = "Why; goes on the record. Needed to go back." };

    public Option<bool> Json { get; } = new("--json") { Description = "As JSON, for another program." };

    private Option<string?> By { get; } = new("--by") { Description = "Who publishes; the pipeline's actor or you unless named." };

    private Option<string?> Commit { get; } = new("--commit")
    {
        Description = "The commit of the files; GITHUB_SHA, BUILD_SOURCEVERSION or git's unless named.",
    };

    private Option<string?> Author { get; } = new("--author") { Description = "Who wrote it; the commit's author unless named." };

    private Option<string?> Repository { get; } = new("--repository")
    {
        Description = "Where the files are kept; the pipeline's or git's unless named.",
    };

    private Option<string?> Config { get; } = new("--config") { Description = "A JSON file with settings, as serve takes it." };

    public void AddTo(Command command)
    {
        Option[] options =
        [
            To, Contacts, Settings, Strict, NoTests, DryRun, List, RollBack, Reason, By, Commit, Author, Repository, Config, Json,
        ];
        foreach (var option in options)
        {
            command.Add(option);
        }

        command.Add(Folder);
    }

    /// <exception cref="CommandException">An important option would do nothing beside another one.</exception>
    public void RefuseIdle(ParseResult parsed)
    {
        foreach (var (option, idle) in ((Option, Option)[])[(List, RollBack), (RollBack, Strict)])
        {
            if (parsed.GetResult(option) is { Implicit: false } && parsed.GetResult(idle) is { Implicit: false })
            {
                throw new CommandException($"{idle.Name} does nothing beside {option.Name}. Leave one of them out.");
            }
        }
    }

    public IConfiguration SettingsOf(ParseResult parsed) => SettingsFile.Read(parsed.GetValue(Config));

    public PublicationOrigin OriginOf(ParseResult parsed) => new(
        parsed.GetValue(Repository), parsed.GetValue(Commit), parsed.GetValue(Author), parsed.GetValue(By), parsed.GetValue(Reason));
}

/// <summary>Where the files come from and who publishes them: as given, else from the pipeline, else from git.</summary>
internal sealed partial record PublicationOrigin(string? Repository, string? Commit, string? Author, string? By, string? Reason)
{
    private static readonly TimeSpan s_gitMayTake = TimeSpan.FromSeconds(5);

    public async Task<Publication> OfAsync(string folder, CancellationToken cancellationToken)
    {
        var commit = Commit ?? Variable("GITHUB_SHA") ?? Variable("BUILD_SOURCEVERSION");
        var head = await GitAsync(folder, ["rev-parse", "HEAD"], cancellationToken);
        if (commit is null && head is not null)
        {
            commit = await GitAsync(folder, ["status", "--porcelain", "--", "."], cancellationToken) switch
            {
                null => $"{head} (changes unknown)",
                "" => head,
                _ => $"{head} with changes that are not committed",
            };
        }

        return (WhoAndWhy() with
        {
            Repository = Repository
                ?? Variable("GITHUB_REPOSITORY")
                ?? Variable("BUILD_REPOSITORY_NAME")
                ?? NameOf(await GitAsync(folder, ["remote", "get-url", "origin"], cancellationToken)),
            Commit = commit,
            Author = Author ?? (commit is null ? null : await AuthorAsync(folder, Commit is null ? head ?? "HEAD" : commit, cancellationToken)),
        }).Cleaned();
    }

    private static async Task<string?> AuthorAsync(string folder, string commit, CancellationToken cancellationToken) =>
        await GitAsync(folder, ["log", "-1", "--format=%an", commit], cancellationToken) ?? Variable("BUILD_SOURCEVERSIONAUTHOR");

    /// <summary>For a publication that brings the rest with it.</summary>
    public Publication WhoAndWhy() => new Publication(0, "", default, By ?? Pipeline() ?? Environment.UserName) { Reason = Reason }.Cleaned();

    /// <summary>Owner (or project) and name, without the server and a password before it.</summary>
    internal static string? NameOf(string? remote) => remote is not null && Name().Match(Server().Replace(remote, "")) is { Success: true } name
        ? $"{name.Groups[1].Value}/{name.Groups[2].Value}"
        : null;

    private static string? Pipeline() =>
        Variable("GITHUB_ACTOR") is { } actor ? $"{actor} through GitHub Actions"
        : Variable("BUILD_REQUESTEDFOR") is { } requester ? $"{requester} through Azure Pipelines"
        : null;

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    /// <returns>Null where git is not there, does not know the folder or takes too long.</returns>
    private static async Task<string?> GitAsync(string folder, string[] arguments, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_gitMayTake);
        try
        {
            using var git = Process.Start(new ProcessStartInfo("git", ["-C", folder, .. arguments])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment = { ["GIT_TERMINAL_PROMPT"] = "0", ["GIT_OPTIONAL_LOCKS"] = "0" },
            })!;
            var (output, errors) = (git.StandardOutput.ReadToEndAsync(limit.Token), git.StandardError.ReadToEndAsync(limit.Token));
            await git.WaitForExitAsync(limit.Token);
            await errors;
            return git.ExitCode == 0 ? (await output).Trim() : null;
        }
        catch (Exception absent) when (
            absent is System.ComponentModel.Win32Exception or OperationCanceledException
            && !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    [GeneratedRegex(@"^[A-Za-z+]+://[^/]*", RegexOptions.NonBacktracking)]
    private static partial Regex Server();

    // Azure Repos has _git before the name.
    [GeneratedRegex(@"[/:]([^/:@\s]+)/(?:_git/)?([^/:@\s]+?)(?:\.git)?/?$", RegexOptions.NonBacktracking)]
    private static partial Regex Name();
}

internal static class RuleSetDifference
{
    /// <param name="before">Null where nothing was in force.</param>
    public static IReadOnlyList<string> Of(RuleSet? before, RuleSet after, RunbookReader reader)
    {
        var (old, now) = (Runbooks(before, reader), Runbooks(after, reader));
        var added = now.Where(runbook => !old.ContainsKey(runbook.Key)).ToList();
        var changed = now.Where(runbook => old.TryGetValue(runbook.Key, out var was) && VersionOf(was) != VersionOf(runbook.Value)).ToList();
        var teams = (before?.Teams ?? []).Concat(after.Teams)
            .Select(team => team.Folder)
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal);
        var calendars = after.Calendars.Keys.Union(before?.Calendars.Keys ?? []).Order(StringComparer.Ordinal);
        return
        [
            .. added.Select(runbook => $"added    {runbook.Key}  {VersionOf(runbook.Value)}"),
            .. changed.Select(runbook => $"changed  {runbook.Key}  {VersionOf(old[runbook.Key])} -> {VersionOf(runbook.Value)}"),
            .. old.Where(runbook => !now.ContainsKey(runbook.Key)).Select(runbook =>
                $"removed  {runbook.Key}  (alerts that still name it open no incident, and page the contact fallback: "
                + $"change their rules first{Heir(runbook.Value, [.. added, .. changed])})"),
            .. File(ContactsFile.FileName, before?.Contacts?.Text, after.Contacts?.Text),
            .. File(MaintenanceFile.FileName, before?.Windows?.Text, after.Windows?.Text),
            .. teams.SelectMany(folder => Team(folder, Of(before, folder), Of(after, folder))),
            .. calendars.SelectMany(name =>
                File(name, before?.Calendars.GetValueOrDefault(name), after.Calendars.GetValueOrDefault(name))),
        ];
    }

    private static TeamFiles? Of(RuleSet? set, string folder) => set?.Teams.FirstOrDefault(team => team.Folder == folder);

    private static IEnumerable<string> Team(string folder, TeamFiles? before, TeamFiles? after) =>
    [
        .. File($"{folder}/{TeamFile.FileName}", before?.File.Text, after?.File.Text),
        .. File($"{folder}/{ContactsFile.FileName}", before?.Contacts?.Text, after?.Contacts?.Text),
    ];

    /// <summary>Limits, answers and the breaker go by a runbook's id. A runbook that takes the alerts under another id starts without them.</summary>
    private static string Heir(Runbook? gone, IEnumerable<KeyValuePair<string, Runbook?>> others) =>
        gone is not null && others.FirstOrDefault(other => other.Value is { } runbook && TakesAlertsOf(gone, runbook)) is { Key: { } heir }
            ? $"; {heir} takes its alerts and knows nothing of its past: a no is asked again, limits and the breaker begin anew, "
                + $"and an incident of {gone.Id} that is open gets a second one beside it: see to those first"
            : "";

    private static bool TakesAlertsOf(Runbook gone, Runbook other) => other.Trigger.Any(now => gone.Trigger.Any(old =>
        old.Source != AlertSource.Manual && (TriggerOverlap.Covers(now, old) || TriggerOverlap.Covers(old, now))));

    private static string VersionOf(Runbook? runbook) => runbook?.Hash[..12] ?? "with errors";

    /// <summary>By id; by file name where the file cannot be read here.</summary>
    private static SortedDictionary<string, Runbook?> Runbooks(RuleSet? set, RunbookReader reader)
    {
        var runbooks = new SortedDictionary<string, Runbook?>(StringComparer.Ordinal);
        foreach (var file in set?.Runbooks ?? [])
        {
            var team = file.Team is { } files ? TeamFile.Read(files).Team : null;
            var runbook = file.Team is not null && team is null
                ? null
                : reader.Read(file.Name, file.Text, samples: file.Samples, team: team).Runbook;
            runbooks[runbook?.Id ?? file.Name] = runbook;
        }

        return runbooks;
    }

    private static IEnumerable<string> File(string name, string? before, string? after) => (before, after) switch
    {
        (null, not null) => [$"added    {name}"],
        (not null, null) => [$"removed  {name}"],
        var (old, now) when old != now => [$"changed  {name}"],
        _ => [],
    };
}

internal static class PublishedContacts
{
    /// <summary>Contacts that are kept elsewhere are named with an option. Where the set has none, those in force stay.</summary>
    public static void AddTo(List<RunbookFile> files, string? file, RuleSet? before, string place)
    {
        if (file is { } named)
        {
            files.RemoveAll(known => known.Name == ContactsFile.FileName);
            var contacts = File.Exists(named)
                ? RunbookFolder.Read(named)
                : throw new CommandException($"There is no file {named}. Name the contacts with --contacts.");
            files.Add(contacts with { Name = ContactsFile.FileName });
            AddMissing(files, CalendarsBeside(named));
        }
        else if (!files.Exists(known => known.Name == ContactsFile.FileName))
        {
            if (before is null)
            {
                throw new CommandException(
                    $"There is no {ContactsFile.FileName} here, and that of the set in force cannot be read and would be lost. "
                    + "Name it with --contacts. "
                    + $"If the set had none, remove {PublicationLog.Name} at {place} first.");
            }

            ConsoleOutput.Note(before.Contacts is null
                ? "There are no contacts, neither here nor there: messages reach nobody, "
                    + "unless hosts have contacts of their own beside their settings (docs/contacts.md)."
                : $"There is no {ContactsFile.FileName} here: the contacts that are in force stay.");
            AddMissing(files, before.Contacts is { } inForce
                ? [inForce, .. before.Calendars.Where(calendar => RuleSet.IsCalendar(calendar.Key)).Select(calendar => new RunbookFile(calendar.Key, calendar.Value))]
                : []);
        }
    }

    private static IEnumerable<RunbookFile> CalendarsBeside(string contacts) => Directory
        .EnumerateFiles(Path.GetDirectoryName(Path.GetFullPath(contacts))!)
        .Where(file => RuleSet.IsCalendar(Path.GetFileName(file)))
        .Select(file => RunbookFolder.Read(file) with { Name = Path.GetFileName(file) });

    private static void AddMissing(List<RunbookFile> files, IEnumerable<RunbookFile> others) =>
        files.AddRange(others.Where(other => !files.Exists(file => file.Name == other.Name)).ToList());
}
