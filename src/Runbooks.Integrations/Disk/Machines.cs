using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Parameters;
using Runbooks.Integrations.Azure;

namespace Runbooks.Integrations.Disk;

/// <summary>Finds the machine that a step means.</summary>
internal sealed class Machines(ArmResources arm)
{
    /// <param name="id">A virtual machine; null for this one.</param>
    public IMachine Find(string? id, TimeProvider time) => id is null ? new LocalMachine(time) : new VirtualMachine(arm, id, time);
}

/// <summary>Which folder of which machine.</summary>
public abstract record MachineFolder
{
    [ArmResourceId("Microsoft.Compute/virtualMachines")]
    [Description("The virtual machine (Linux); the one that this runs on when left out.")]
    public string? Machine { get; init; }

    [Required, TempFolder]
    [Description("The folder: an absolute path.")]
    public required string Folder { get; init; }
}
