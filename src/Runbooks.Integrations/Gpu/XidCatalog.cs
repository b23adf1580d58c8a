namespace Runbooks.Integrations.Gpu;

/// <summary>What an XID means for the machine.</summary>
internal enum XidClass
{
    /// <summary>The GPU has to be reset or replaced: no new work may come to it.</summary>
    Fatal,

    /// <summary>The program that ran has to be started again; the GPU is most likely sound.</summary>
    Application,

    /// <summary>Comes along with other errors and with programs that are killed. Alone it means nothing.</summary>
    NotAlone,

    /// <summary>Something to watch, such as a row that was remapped and is used again after the next reset.</summary>
    Watch,
}

/// <summary>The XID codes that matter on data-centre GPUs, in the words of NVIDIA's catalogue.</summary>
/// <seealso href="https://docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html"/>
internal static class XidCatalog
{
    private static readonly Dictionary<int, (XidClass Class, string Meaning)> s_known = new()
    {
        [13] = (XidClass.Application, "graphics engine exception"),
        [31] = (XidClass.Application, "memory page fault"),
        [43] = (XidClass.Application, "the program's channel was reset"),
        [45] = (XidClass.NotAlone, "preemptive cleanup after another error, or a program that was killed"),
        [48] = (XidClass.Fatal, "double-bit memory error"),
        [63] = (XidClass.Watch, "a memory row was remapped"),
        [64] = (XidClass.Fatal, "a memory row could not be remapped"),
        [68] = (XidClass.Application, "video processor exception"),
        [74] = (XidClass.Fatal, "NVLink error"),
        [79] = (XidClass.Fatal, "the GPU has fallen off the bus"),
        [92] = (XidClass.Watch, "many single-bit memory errors"),
        [94] = (XidClass.Application, "contained memory error"),
        [95] = (XidClass.Fatal, "uncontained memory error"),
        [109] = (XidClass.Application, "context switch timeout"),
        [119] = (XidClass.Fatal, "the GPU's system processor (GSP) does not answer"),
        [120] = (XidClass.Fatal, "error of the GPU's system processor (GSP)"),
        [140] = (XidClass.Fatal, "unrecovered memory error"),
    };

    public static XidClass ClassOf(int xid) => s_known.TryGetValue(xid, out var known) ? known.Class : XidClass.Watch;

    public static string Words(int xid) => s_known.TryGetValue(xid, out var known) ? $"XID {xid} ({known.Meaning})" : $"XID {xid} (not in our list; see NVIDIA's catalogue)";
}
