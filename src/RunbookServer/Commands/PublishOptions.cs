using System.CommandLine;
using RunbookServer.Publishing;

namespace RunbookServer.Commands;

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
