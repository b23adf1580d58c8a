namespace Runbooks.Integrations.Disk;

public sealed record DeleteTempFilesParameters : MachineFolder
{
    [Range(typeof(TimeSpan), "00:10:00", "365.00:00:00")]
    [Description("Only files that were not written to for this long.")]
    public TimeSpan OlderThan { get; init; } = TimeSpan.FromDays(3);
}

internal sealed class DeleteTempFiles(Machines machines, IOptions<DiskOptions> options)
    : RunbookAction<DeleteTempFilesParameters>(
        "disk.deleteTempFiles",
        "Deletes old files below a folder that the configuration allows (Disk:AllowedFolders; /tmp and /var/tmp unless named). "
            + "Never follows links, and leaves other file systems alone.")
{
    /// <summary>
    /// How long to wait for the end of another script; less than the time there is to look. After that the step waits for its turn,
    /// which is no failure.
    /// </summary>
    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(90);

    private const string Unknown = "unknown";

    public override string Role => $"{VirtualMachine.Roles}; none for the machine that this runs on";

    public override IReadOnlyList<StepOutput> Outputs =>
    [
        new("freed", "What was deleted, in words: how many files, and how much they held, over all attempts.", "120 files, 27 GiB"),
        new("usedBefore", "How full the disk was, such as `94 %`; `unknown` where it does not say.", "94 %"),
        new("usedAfter", "How full it is now; `unknown` where that could not be asked any more.", "61 %"),
    ];

    // What was found on one machine must not decide what is deleted on another.
    protected override bool KeepsPreparation => true;

    protected override async Task<Preparation> PrepareAsync(
        DeleteTempFilesParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var machine = machines.Find(parameters.Machine, context, s_longestWait);
        var age = $"older than {Format(parameters.OlderThan)}";
        if (Refusal(parameters) is { } refusal)
        {
            return new Preparation
            {
                PlannedEffect = $"Delete files {age} below {parameters.Folder} on {machine.DisplayName}.",
                Refusal = refusal,
            };
        }

        var found = await machine.TempFilesAsync(parameters.Folder, parameters.OlderThan, delete: false, cancellationToken);
        return new Preparation
        {
            PlannedEffect = $"Delete files {age} below {parameters.Folder} on {machine.DisplayName} (now {found}).",
            Identity = machine.Identity,
        };
    }

    protected override Task<string?> CheckPermissionsAsync(
        DeleteTempFilesParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        machines.Find(parameters.Machine, context).CheckPermissionsAsync(cancellationToken);

    protected override async Task<ActionResult> ApplyAsync(
        DeleteTempFilesParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        if (Refusal(parameters) is { } refusal)
        {
            throw new StepRefusedException(refusal) { NothingDone = true };
        }

        var machine = machines.Find(parameters.Machine, context, s_longestWait);
        if (preparation.Identity is { } shown && shown != machine.Identity)
        {
            throw new StepRefusedException($"The files of the machine {shown} were meant, and this is {machine.Identity}: "
                + "another process has taken the step. Nothing more was deleted.");
        }

        var memory = new StepMemory(context, "tidied");
        var tidied = await memory.ReadAsync(cancellationToken) is [var kept] ? JsonSerializer.Deserialize<Tidied>(kept)!
            : new Tidied(Percent(await machine.SpaceAsync(parameters.Folder, cancellationToken)), new TempFiles(0, 0), IsPartial: false);

        // Until the deletion has ended, nobody knows how much it deletes.
        await memory.WriteAsync([JsonSerializer.Serialize(tidied with { IsPartial = true })]);
        TempFiles deleted;
        try
        {
            deleted = await machine.TempFilesAsync(parameters.Folder, parameters.OlderThan, delete: true, cancellationToken);
        }
        catch (AttemptFailedException nothing) when (nothing.IsBusy || nothing.NothingDone)
        {
            await memory.WriteAsync([JsonSerializer.Serialize(tidied)]);
            throw;
        }

        tidied = tidied with { Deleted = new(tidied.Deleted.Files + deleted.Files, tidied.Deleted.Bytes + deleted.Bytes) };
        await memory.WriteAsync([JsonSerializer.Serialize(tidied)]);

        var freed = $"{tidied.Deleted}{(tidied.IsPartial ? " (and whatever an attempt deleted that broke off)" : "")}";
        var after = await AfterAsync(machine, parameters.Folder, cancellationToken);
        var now = after == Unknown ? "before, and how full it is now could not be asked" : $"and is {after}";
        var course = tidied.Before == Unknown ? "" : $": the disk was {tidied.Before} full {now}";
        return new ActionResult($"Deleted {freed} below {parameters.Folder} on {machine.DisplayName}{course}.")
        {
            Outputs = new Dictionary<string, string> { ["freed"] = freed, ["usedBefore"] = tidied.Before, ["usedAfter"] = after },
        };
    }

    /// <summary>The files are deleted, so it is no failure when nobody answers how full the disk is now.</summary>
    private static async Task<string> AfterAsync(IMachine machine, string folder, CancellationToken cancellationToken)
    {
        try
        {
            return Percent(await machine.SpaceAsync(folder, cancellationToken));
        }
        catch (Exception unasked) when (unasked is AzureRequestException or StepRefusedException)
        {
            return Unknown;
        }
    }

    private string? Refusal(DeleteTempFilesParameters parameters) => parameters.Machine is null && !options.Value.ThisMachine
        ? $"Files of the machine that this runs on are not deleted here ({DiskOptions.SectionName}:ThisMachine is false, "
            + "as always in practice, and where several processes share the record unless it is set). "
            + "Name the virtual machine with 'machine'."
        : TempFolder.Refusal(parameters.Folder, parameters.OlderThan, options.Value);

    private static string Percent(DiskSpace space) => space.Percent is { } percent ? $"{NumberText.Format(percent)} %" : Unknown;

    private static string Format(TimeSpan age) => age.TotalHours >= 48
        ? $"{age.TotalDays:0.#} days"
        : $"{age.TotalHours:0.#} hours";

    private sealed record Tidied(string Before, TempFiles Deleted, bool IsPartial);
}

/// <summary>An absolute path that needs no quoting in a shell and cannot climb: letters, digits, and <c>/ . _ -</c>.</summary>
public sealed class TempFolderAttribute : ParameterRuleAttribute
{
    public override string Expected => "an absolute path of letters, digits, and / . _ -, without '..'";

    protected override bool Accepts(string value) => TempFolder.IsPath(value);
}

internal static class TempFolder
{
    public static bool IsPath(string path) =>
        path.Length is > 1 and <= 200 && path[0] == '/' && path[^1] != '/'
        && path[1..].Split('/').All(part => part.Length > 0 && part is not ("." or "..") && part[0] != '-')
        && path.All(character => char.IsAsciiLetterOrDigit(character) || character is '/' or '.' or '_' or '-');

    public static string? Refusal(string folder, TimeSpan olderThan, DiskOptions options) =>
        !options.Folders.Any(allowed => folder == allowed || folder.StartsWith(allowed + "/", StringComparison.Ordinal))
            ? $"{folder} is not among the folders in which files may be deleted: {string.Join(", ", options.Folders)}. "
                + $"Add it to {DiskOptions.SectionName}:AllowedFolders if it is meant."
            : olderThan < options.YoungestAge
                ? $"Files younger than {options.YoungestAge} are never deleted ({DiskOptions.SectionName}:YoungestAge)."
                : null;
}

public sealed record DiskUsageParameters : MachineFolder
{
    [Required]
    [Description("When the percentage in use, as `df` counts it, is bad: '> 85'.")]
    public required FailingWhen Failing { get; init; }
}

internal sealed class DiskUsage(Machines machines)
    : Check<DiskUsageParameters>("disk.usage", "Holds how full the disk of a folder is against a threshold.")
{
    public override string Role => $"{VirtualMachine.Roles}; none for the machine that this runs on";

    /// <summary>A script on a virtual machine takes 20 seconds and more, and may have to wait for another one.</summary>
    public override TimeSpan UsualTimeout => TimeSpan.FromMinutes(2);

    public override IReadOnlyList<ParameterWarning> WarningsOf(JsonElement with) =>
        WithText.Failing(with) is { } failing && KnownRange.Percent.WarningOf(failing, "a disk's use") is { } doubt ? [doubt] : [];

    protected override async Task<CheckResult> AskAsync(
        DiskUsageParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var machine = machines.Find(parameters.Machine, context);
        var space = await machine.SpaceAsync(parameters.Folder, cancellationToken);
        if (space.Percent is not { } percent)
        {
            return CheckResult.Unknown($"{parameters.Folder} on {machine.DisplayName} lies on no disk: "
                + "there is no room that could be used.") with { Threshold = parameters.Failing.ToString(), Link = machine.Link };
        }

        // A disk that is not mounted leaves its folder on the one above: then the figure is of another disk than is meant.
        var mount = space.Mount is null || space.Mount == parameters.Folder ? "" : $", which lies on the disk mounted at {space.Mount}";
        var free = $"{Size.FormatBytes(space.Available)} free for {parameters.Folder} on {machine.DisplayName}{mount}";
        return Measurement.Judge(parameters.Failing, percent, "%", $" in use ({free})") with { Link = machine.Link };
    }
}

/// <summary>Section <c>Disk</c>.</summary>
public sealed class DiskOptions : IValidatableObject
{
    public const string SectionName = "Disk";

    /// <summary>
    /// Folders, with all that is below them, in which old files may be deleted: <c>/tmp</c> and <c>/var/tmp</c> where none is named, and
    /// these no longer once one is. Nothing is deleted elsewhere.
    /// </summary>
    public IList<string> AllowedFolders { get; } = [];

    /// <summary>
    /// Whether files of the machine that this runs on may be deleted, where a step names no other. Never in practice. Where several
    /// processes may share the record (the Functions app, <c>--storage azure</c>) it is false unless it is set: any of them may run a step.
    /// </summary>
    public bool ThisMachine { get; set; } = true;

    /// <summary>No file that is younger is ever deleted, whatever a runbook says.</summary>
    [Range(typeof(TimeSpan), "00:10:00", "365.00:00:00")]
    public TimeSpan YoungestAge { get; set; } = TimeSpan.FromHours(1);

    internal IReadOnlyList<string> Folders => AllowedFolders.Count > 0 ? [.. AllowedFolders] : ["/tmp", "/var/tmp"];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) => AllowedFolders
        .Where(folder => !TempFolder.IsPath(folder))
        .Select(folder => new ValidationResult($"{SectionName}:AllowedFolders holds '{folder}': "
            + "it must be an absolute path of letters, digits, and / . _ -, and not the root."));
}
