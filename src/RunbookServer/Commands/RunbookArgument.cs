using RunbookServer.Publishing;
using Runbooks.Settings;

namespace RunbookServer.Commands;

/// <summary>One runbook, by its file or by its id in the folder: shared by all commands that work on one.</summary>
internal sealed class RunbookArgument
{
    private readonly Argument<string> _name = new("runbook") { Description = "A runbook's id, or its file." };
    private readonly RunbookFolderOption _folder = new();

    public HostSettingsOption Settings { get; } = new();

    public void AddTo(Command command)
    {
        command.Add(_name);
        command.Add(_folder);
        command.Add(Settings);
    }

    /// <exception cref="CommandException">There is no such runbook, or it has errors.</exception>
    public Runbook Load(ParseResult parsed, RunbookCatalog catalog)
    {
        var loaded = catalog.Load([RunbookFolder.ReadWithSamples(Find(parsed.GetRequiredValue(_name), _folder.Of(parsed)))], whole: false);
        return loaded.Errors.Count == 0
            ? catalog.Current[0]
            : throw new CommandException($"The runbook has errors.\n{string.Join("\n", loaded.Errors)}", ExitCode.Failed);
    }

    private static string Find(string name, RunbookFolder folder)
    {
        if (File.Exists(name))
        {
            return name;
        }

        // A runbook's file carries its id.
        var known = folder.Files().Select(file => (Id: Path.GetFileNameWithoutExtension(file), File: file)).ToList();
        return known.Find(one => one.Id == name).File
            ?? throw new CommandException($"There is no runbook and no file '{name}'. {Suggestion.For(name, known.Select(one => one.Id))}In {folder.Path}: {string.Join(", ", known.Select(one => one.Id))}.");
    }
}

/// <summary><c>--runbooks DIR</c>, the same on every command that reads them.</summary>
internal sealed class RunbookFolderOption : Option<DirectoryInfo?>
{
    public RunbookFolderOption()
        : base("--runbooks") => Description = "The folder of runbooks; ./runbooks or the shipped ones unless named.";

    /// <exception cref="CommandException">The named folder is not there.</exception>
    public RunbookFolder Of(ParseResult parsed) => RunbookFolder.Find(parsed.GetValue(this)?.FullName);
}

/// <summary><c>--setting NAME=VALUE</c>, the same on every command that reads runbooks: what a host would say of itself.</summary>
internal sealed class HostSettingsOption : Option<string[]>
{
    public HostSettingsOption()
        : base("--setting") => Description = "What runbooks read as {{ settings.NAME }}: NAME=VALUE, as the host's Runbooks:Settings:NAME.";

    /// <param name="configured">Settings of a host, which count where nothing is given.</param>
    /// <exception cref="CommandException">It is no NAME=VALUE.</exception>
    public HostSettings Of(ParseResult parsed, IConfiguration? configured = null)
    {
        var values = configured?.GetSection($"{RunbookSettingsOptions.SectionName}:{nameof(RunbookSettingsOptions.Settings)}").GetChildren()
            .ToDictionary(one => one.Key, one => one.Value ?? "", StringComparer.OrdinalIgnoreCase) ?? new(StringComparer.OrdinalIgnoreCase);
        foreach (var given in parsed.GetValue(this) ?? [])
        {
            values[given.Split('=', 2) is [{ Length: > 0 } name, _] ? name : throw new CommandException($"--setting is '{given}'; it has to be NAME=VALUE.")] = given.Split('=', 2)[1];
        }

        return new(values);
    }
}

/// <summary>What <c>runbook publish</c> takes.</summary>
internal sealed class PublishOptions
{
    public Argument<DirectoryInfo?> Folder { get; } = new("dir") { Description = "The folder of runbooks, with contacts and maintenance windows beside them; ./runbooks unless named.", Arity = ArgumentArity.ZeroOrOne };

    public Option<string> To { get; } = new("--to") { Description = "The address of the blob container that hosts read, or a folder. For a container sign in with az login, a managed identity or a pipeline's; or Storage:ConnectionString in --config or RUNBOOK_Storage__ConnectionString.", Required = true };

    public Option<string?> Contacts { get; } = new("--contacts") { Description = "The contacts file, where it is not in the folder. Without either, the contacts that are in force stay." };

    public HostSettingsOption Settings { get; } = new();

    public Option<bool> Strict { get; } = new("--strict") { Description = "Warnings count as errors." };

    public Option<bool> NoTests { get; } = new("--no-tests") { Description = "Does not run the tests beside the runbooks." };

    public Option<bool> DryRun { get; } = new("--dry-run") { Description = "Checks, tests and prints what would change; publishes nothing." };

    public Option<bool> List { get; } = new("--list") { Description = $"Prints the publications that can be gone back to, the newest first; {PublicationLog.Kept} are kept." };

    public Option<string?> RollBack { get; } = new("--roll-back") { Description = "Puts an earlier set in force again, as a publication of its own: by number, by version, or the one before.", Arity = ArgumentArity.ZeroOrOne };

    public Option<string?> Reason { get; } = new("--reason") { Description = "Why; goes on the record. Needed to go back." };

    public Option<bool> Json { get; } = new("--json") { Description = "As JSON, for another program." };

    private Option<string?> By { get; } = new("--by") { Description = "Who publishes; the pipeline's actor or you unless named." };

    private Option<string?> Commit { get; } = new("--commit") { Description = "The commit of the files; GITHUB_SHA, BUILD_SOURCEVERSION or git's unless named." };

    private Option<string?> Author { get; } = new("--author") { Description = "Who wrote it; the commit's author unless named." };

    private Option<string?> Repository { get; } = new("--repository") { Description = "Where the files are kept; the pipeline's or git's unless named." };

    private Option<string?> Config { get; } = new("--config") { Description = "A JSON file with settings, as serve takes it." };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[To, Contacts, Settings, Strict, NoTests, DryRun, List, RollBack, Reason, By, Commit, Author, Repository, Config, Json])
        {
            command.Add(option);
        }

        command.Add(Folder);
    }

    public IConfiguration SettingsOf(ParseResult parsed) => SettingsFile.Read(parsed.GetValue(Config));

    public PublicationOrigin OriginOf(ParseResult parsed) => new(parsed.GetValue(Repository), parsed.GetValue(Commit), parsed.GetValue(Author), parsed.GetValue(By), parsed.GetValue(Reason));
}
