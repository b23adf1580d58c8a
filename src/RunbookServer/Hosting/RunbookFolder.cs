using System.Diagnostics;
using Runbooks.AzureStorage;
using Runbooks.Guardrails;
using Runbooks.Storage;

namespace RunbookServer.Hosting;

internal sealed record RunbookFolder(string Path)
{
    /// <summary>The runbooks that come with the program, since none were named and there is no <c>./runbooks</c>.</summary>
    public bool IsShipped { get; private init; }

    /// <summary>Null for a folder.</summary>
    public Uri? Container { get; private init; }

    /// <summary>As <see cref="Find"/>, or a container that runbooks are published to.</summary>
    /// <inheritdoc cref="Find"/>
    public static RunbookFolder FindOrContainer(string? named) => ContainerOf(named) is { } container
        ? new(container.AbsoluteUri) { Container = container }
        : Find(named is null ? null : System.IO.Path.GetFullPath(named));

    /// <returns>Null when it names a folder.</returns>
    public static Uri? ContainerOf(string? named) =>
        Uri.TryCreate(named, UriKind.Absolute, out var address) && address.Scheme is "https" or "http" ? address : null;

    /// <summary>The named one; else <c>./runbooks</c>; else the shipped one beside the program.</summary>
    public static RunbookFolder Find(string? named)
    {
        if (named is not null)
        {
            return Directory.Exists(named)
                ? new(named)
                : throw new CommandException($"There is no folder {named}. Name the folder of runbooks with --runbooks.");
        }

        var here = System.IO.Path.GetFullPath("runbooks");
        var shipped = System.IO.Path.Combine(AppContext.BaseDirectory, "runbooks");
        return Directory.Exists(here) ? new(here) : new(shipped) { IsShipped = true };
    }

    /// <summary>Runbooks are in the folder itself or in that of a team. Their tests are in folders below.</summary>
    public IEnumerable<string> Files()
    {
        var ofTeams = TeamFolders.Of(Path).SelectMany(team => NamesIn(team.FullName, $"{team.Name}/"));
        return RuleSet.RunbooksAmong([.. NamesIn(Path, ""), .. ofTeams])
            .Select(name => System.IO.Path.Combine(Path, name))
            .OrderBy(file => file, StringComparer.Ordinal);
    }

    public IReadOnlyList<TeamFiles> Teams() =>
        [.. TeamFolders.Of(Path).Select(team => TeamOf(System.IO.Path.Combine(Path, team.Name))).OfType<TeamFiles>()];

    private static IEnumerable<string> NamesIn(string folder, string prefix) =>
        Directory.EnumerateFiles(folder).Select(file => $"{prefix}{System.IO.Path.GetFileName(file)}");

    /// <returns>Null for a folder that is not a team's.</returns>
    public static TeamFiles? TeamOf(string folder)
    {
        if (TeamFolders.FileOf(new(folder)) is not { } file)
        {
            return null;
        }

        var full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(folder));
        var contacts = System.IO.Path.Combine(folder, ContactsFile.FileName);
        return new(
            System.IO.Path.GetFileName(full),
            ReadOfTeam(System.IO.Path.Combine(folder, file.Name)),
            File.Exists(contacts) ? ReadOfTeam(contacts) : null);
    }

    /// <summary>The folder with this file's runbook set: above the team's folder, where the file is in one.</summary>
    public static RunbookFolder Around(string file)
    {
        var here = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(file))!;
        return new(TeamFolders.FileOf(new(here)) is not null ? System.IO.Path.GetDirectoryName(here) ?? here : here);
    }

    /// <summary>For a command that checks runbooks: an empty folder is an error, and a note says when these are the shipped ones.</summary>
    public IReadOnlyList<string> FilesToCheck()
    {
        List<string> files = [.. Files()];
        foreach (var folder in Unread())
        {
            ConsoleOutput.Note($"{folder}/ has runbooks and no {TeamFile.FileName}, so no host reads them. Put them into {Path}, or make it the folder of a team.");
        }

        if (files.Count == 0)
        {
            throw new CommandException(
                $"There is no runbook in {Path}. "
                + $"Name the folder with --runbooks, or write one with: {ThisProgram.Command} new ID");
        }

        if (IsShipped)
        {
            ConsoleOutput.Note("There is no folder ./runbooks here: these are the runbooks that come with the program.");
        }

        return files;
    }

    /// <summary>Folders that look as if their runbooks counted.</summary>
    private IEnumerable<string> Unread() => new DirectoryInfo(Path).EnumerateDirectories()
        .Where(folder => !folder.Name.StartsWith('.')
            && folder.LinkTarget is null
            && !TeamFile.IsTaken(folder.Name)
            && TeamFolders.FileOf(folder) is null
            && HasRunbook(folder))
        .Select(folder => folder.Name)
        .Order(StringComparer.Ordinal);

    private static bool HasRunbook(DirectoryInfo folder)
    {
        try
        {
            return folder.EnumerateFiles().Any(file => RuleSet.IsRunbook(file.Name)
                && !SampleFolder.IsEmpty(file)
                && File.ReadLines(file.FullName).Any(line => line.StartsWith("impact:", StringComparison.Ordinal)));
        }
        // It is about a note alone, and no host reads the folder.
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    public string? Contacts => FindBeside(ContactsFile.FileName);

    public string? Windows => FindBeside(MaintenanceFile.FileName);

    private string? FindBeside(string name) => System.IO.Path.Combine(Path, name) is var file && File.Exists(file) ? file : null;

    public IReadOnlyList<RunbookFile> Read() => [.. Files().Select(ReadWithSamples)];

    /// <exception cref="CommandException">The container's address cannot be used.</exception>
    public IRuleSetPlace Place(IConfiguration settings) =>
        Container is { } container ? Open(container, settings) : new FolderPlace(Path);

    /// <inheritdoc cref="Place"/>
    public static IRuleSetPlace Open(Uri container, IConfiguration settings)
    {
        var account = settings.GetSection(StorageAccountOptions.SectionName).Get<StorageAccountOptions>() ?? new();
        try
        {
            return BlobRuleSetPlace.Open(container, account.ConnectionString, account.ClientId);
        }
        catch (FormatException unusable)
        {
            throw new CommandException(unusable.Message);
        }
    }

    /// <inheritdoc cref="Read(string)"/>
    public static RunbookFile ReadWithSamples(string file)
    {
        var here = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(file))!;
        var team = TeamOf(here);
        return (team is null ? Read(file) : ReadOfTeam(file)) with { Samples = SampleFolder.Read(here), Team = team };
    }

    private static RunbookFile ReadOfTeam(string file)
    {
        var (folder, name) = (System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(file))!, System.IO.Path.GetRelativePath(".", file));
        try
        {
            return TeamFolders.IsOutside(folder, new(file)) ? new(name, TeamFolders.TextOfLinkOutside)
                : SampleFolder.IsEmpty(new FileInfo(file)) ? new(name, "")
                : Read(file);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return new(name, TeamFolders.TextOfUnreadable);
        }
    }

    public static RunbookFile Read(string file)
    {
        var name = System.IO.Path.GetRelativePath(".", file);
        return new FileInfo(file).Length <= RuleSet.MostFileBytes
            ? new RunbookFile(name, File.ReadAllText(file))
            : throw new CommandException($"{name} is larger than {RuleSet.MostFileBytes} bytes and cannot be a runbook.");
    }
}

/// <summary>
/// Notices at once that files of a folder have changed, where the file system reports it. This is for speed alone: readers of the files
/// also look by the clock, since network drives, switched links and replaced folders report nothing.
/// </summary>
internal static class FolderWatch
{
    /// <summary>Editors write a file in several steps. It is read this long after the last one, or after <see cref="s_longestBusy"/>.</summary>
    private static readonly TimeSpan s_quiet = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_longestBusy = TimeSpan.FromSeconds(5);

    /// <summary>Ends when watching is no longer possible: the system has no watches left, the folder is gone, changes were lost.</summary>
    public static async Task RunAsync(
        string folder,
        string filter,
        Func<CancellationToken, Task> changed,
        ILogger logger,
        CancellationToken stoppingToken,
        bool below = false)
    {
        Exception? failure = null;
        try
        {
            using var changes = new SemaphoreSlim(0);
            using var broken = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            using var watcher = new FileSystemWatcher(folder, filter) { IncludeSubdirectories = below };
            watcher.Changed += (_, _) => changes.Release();
            watcher.Created += (_, _) => changes.Release();
            watcher.Deleted += (_, _) => changes.Release();
            watcher.Renamed += (_, _) => changes.Release();
            watcher.Error += (_, error) =>
            {
                failure = error.GetException();
                broken.Cancel();
            };
            watcher.EnableRaisingEvents = true;
            while (failure is null)
            {
                await NextAsync(changes, broken.Token);
                await changed(stoppingToken);
            }
        }
        // Any trouble of the file system: the readers see the change a little later, by the clock.
        catch (Exception trouble) when (!stoppingToken.IsCancellationRequested)
        {
            logger.FolderUnwatched(folder, (failure ?? trouble).Message);
        }
    }

    private static async Task NextAsync(SemaphoreSlim changes, CancellationToken cancellationToken)
    {
        await changes.WaitAsync(cancellationToken);
        var busy = Stopwatch.StartNew();
        while (busy.Elapsed < s_longestBusy && await changes.WaitAsync(s_quiet, cancellationToken))
        {
        }
    }
}

internal sealed class RuleSetWatch(RunbookFolder folder, RuleSetRefresh refresh, ILogger<RuleSetWatch> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        FolderWatch.RunAsync(folder.Path, "*", refresh.RefreshAsync, logger, stoppingToken, below: true);
}

internal sealed class ContactsWatch(
    string file, ContactsReload reload, TimeProvider time, ILogger<ContactsWatch> logger) : BackgroundService
{
    private string? _trouble;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        FolderWatch.RunAsync(Path.GetDirectoryName(Path.GetFullPath(file))!, Path.GetFileName(file), ReloadAsync, logger, stoppingToken),
        ReloadRegularlyAsync(stoppingToken));

    private async Task ReloadRegularlyAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(RuleSetOptions.Usual, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await ReloadAsync(stoppingToken);
        }
    }

    internal Task ReloadAsync(CancellationToken cancellationToken)
    {
        try
        {
            reload.Take(File.Exists(file) ? RunbookFolder.Read(file) : null);
            _trouble = null;
        }
        // Logged once for each kind; the next round tries again.
        catch (Exception failure)
        {
            if (_trouble != failure.Message)
            {
                logger.ContactsUnreadable(failure.Message);
            }

            _trouble = failure.Message;
        }

        return Task.CompletedTask;
    }
}
