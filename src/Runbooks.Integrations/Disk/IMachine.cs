namespace Runbooks.Integrations.Disk;

/// <summary>A machine whose disk is looked at and tidied: this one, or a virtual machine in Azure.</summary>
internal interface IMachine
{
    /// <summary>For people.</summary>
    string DisplayName { get; }

    /// <summary>What tells it from another where no parameter names it; null where one does.</summary>
    string? Identity { get; }

    /// <summary>Where a person looks at it; null for nowhere.</summary>
    string? Link { get; }

    /// <exception cref="Catalog.Steps.StepRefusedException">There is no such folder, or it leads elsewhere.</exception>
    Task<DiskSpace> SpaceAsync(string folder, CancellationToken cancellationToken);

    /// <summary>Counts what would be deleted, or deletes it. Never follows a link, and never leaves the file system.</summary>
    Task<TempFiles> TempFilesAsync(string folder, TimeSpan olderThan, bool delete, CancellationToken cancellationToken);

    /// <returns>What this identity lacks to delete there, in words; null when nothing, or when nobody can tell.</returns>
    Task<string?> CheckPermissionsAsync(CancellationToken cancellationToken);
}

/// <param name="Available">What programs can still write, in bytes. What the file system keeps for root is not theirs: ext4 keeps 5 % of a disk.</param>
/// <param name="Mount">Where the disk is mounted; null when that is not known.</param>
internal sealed record DiskSpace(long Used, long Available, string? Mount)
{
    /// <summary>Of what programs can have, as <c>df</c> counts: 100 is when they can write nothing more. Null where there is no room at all, as in /proc.</summary>
    public double? Percent => Used + Available == 0 ? null : Math.Round(100.0 * Used / (Used + Available), 1);
}

internal sealed record TempFiles(long Files, long Bytes)
{
    public override string ToString() => FormattableString.Invariant($"{Files:N0} {(Files == 1 ? "file" : "files")}, {Size.FormatBytes(Bytes)}");
}

/// <summary>Finds the machine that a step means.</summary>
internal sealed class Machines(ArmResources arm)
{
    /// <param name="id">A virtual machine; null for this one.</param>
    /// <inheritdoc cref="VirtualMachine"/>
    public IMachine Find(string? id, StepContext context, TimeSpan? longestWait = null) => id is null ? new LocalMachine(context.Time) : new VirtualMachine(arm, id, context, longestWait);
}

public abstract record MachineFolder
{
    [ArmResourceId("Microsoft.Compute/virtualMachines")]
    [Description("The virtual machine (Linux); the one that this runs on when left out.")]
    public string? Machine { get; init; }

    [Required, TempFolder]
    [Description("The folder: an absolute path.")]
    public required string Folder { get; init; }
}
