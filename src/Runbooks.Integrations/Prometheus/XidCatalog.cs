namespace Runbooks.Integrations.Prometheus;

internal enum XidClass
{
    /// <summary>The GPU has to be reset or replaced: no new work may come to it.</summary>
    Fatal,

    /// <summary>The program that ran has to be restarted; the GPU is most likely sound.</summary>
    Application,

    /// <summary>Accompanies other errors and killed programs. Alone it means nothing.</summary>
    NotAlone,

    /// <summary>Something to watch, such as a row that was remapped and is used again after the next reset.</summary>
    Watch,

    /// <summary>The number alone does not tell whether it is fatal.</summary>
    Unclear,
}

/// <summary>
/// The XID codes of data-centre GPUs from Ampere on, in the words of NVIDIA's catalogue. A code is fatal if its immediate action
/// there is to reset the GPU or to restart the machine, or if its workflow leads to that.
/// </summary>
/// <seealso href="https://docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html"/>
internal static class XidCatalog
{
    private static readonly (XidClass Class, string Meaning, int[] Codes)[] s_kinds =
    [
        (XidClass.Fatal, "the GPU stopped processing", [46]),
        (XidClass.Fatal, "double-bit memory error", [48, 171, 172]),
        (XidClass.Fatal, "a micro-controller of the GPU halted", [62]),
        (XidClass.Fatal, "a memory row could not be remapped", [64]),
        (XidClass.Fatal, "NVLink error", [74, 155]),
        (XidClass.Fatal, "the GPU has fallen off the bus", [79]),
        (XidClass.Fatal, "uncontained memory error", [95]),
        (XidClass.Fatal, "context switch timeout", [109]),
        (XidClass.Fatal, "security fault", [110]),
        (XidClass.Fatal, "the GPU's system processor (GSP) does not answer", [119]),
        (XidClass.Fatal, "error of the GPU's system processor (GSP)", [120]),
        (XidClass.Fatal, "an NVLink could not be trained", [136]),
        (XidClass.Fatal, "unrecovered memory error", [140]),
        (XidClass.Fatal, "the GPU could not be initialized", [143]),
        (XidClass.Fatal, "keys could not be rotated", [151]),
        (XidClass.Fatal, "the driver calls for a reset, a reboot or a drain", [154]),
        (XidClass.Fatal, "a part of the GPU is retired at the next reset", [156]),
        (XidClass.Fatal, "fatal timeout of the GPU", [158]),
        (XidClass.Application, "the program's channel stood still", [8]),
        (XidClass.Application, "the program sent what the GPU cannot read", [11, 25, 32, 80]),
        (XidClass.Application, "graphics engine exception", [13, 69]),
        (XidClass.Application, "memory page fault", [31]),
        (XidClass.Application, "copy engine exception", [39, 40, 41, 70, 71, 72, 75, 76, 77, 85, .. Enumerable.Range(126, 10)]),
        (XidClass.Application, "the program's channel was reset", [43]),
        (XidClass.Application, "video processor exception", [60, 68, 82, 83, 84, 86, 88, 89, .. Enumerable.Range(96, 10), 139]),
        (XidClass.Application, "contained memory error", [94]),
        (XidClass.Application, "forbidden access to the memory of another GPU", [137]),
        (XidClass.NotAlone, "preemptive cleanup after another error, or a program that was killed", [45]),
        (XidClass.Watch, "error of the driver that it gets over by itself", [37, 38, 44, 66, 67, 141]),
        (XidClass.Watch, "a memory row was remapped", [63]),
        (XidClass.Watch, "many single-bit memory errors", [92]),
        (XidClass.Watch, "the board's own memory wears out", [93]),
        (XidClass.Watch, "test message", [106, 107]),
        (XidClass.Watch, "error of the link to the processor", [121]),
        (XidClass.Unclear, "NVLink error; whether it is fatal stands in the kernel's log", [.. Enumerable.Range(144, 7)]),
    ];

    private static readonly Dictionary<int, (XidClass Class, string Meaning)> s_known =
        s_kinds.SelectMany(kind => kind.Codes, (kind, code) => (code, kind)).ToDictionary(
            one => one.code, one => (one.kind.Class, one.kind.Meaning));

    public static XidClass ClassOf(int xid) => s_known.TryGetValue(xid, out var known) ? known.Class : XidClass.Unclear;

    public static string Describe(int xid)
    {
        var meaning = s_known.TryGetValue(xid, out var known)
            ? known.Meaning
            : "not in our list, so whether it is fatal is not known; see NVIDIA's catalogue";
        return $"XID {xid} ({meaning})";
    }
}
