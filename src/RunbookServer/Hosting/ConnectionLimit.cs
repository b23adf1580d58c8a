using System.Runtime.InteropServices;

namespace RunbookServer.Hosting;

/// <summary>
/// How many connections the host takes at once. Each is an open file; half of those that the system allows, and no fewer than
/// <see cref="Kept"/>, are kept for the host itself, so that callers cannot use them up.
/// </summary>
internal static class ConnectionLimit
{
    private const long Most = 5_000;
    private const long Least = 32;

    /// <summary>A host that does nothing has some 320 files open, most of them its libraries; without one to load the next, .NET ends the process.</summary>
    private const long Kept = 500;
    private const int OpenFiles = 7;

    public static long Of() => Of(OperatingSystem.IsLinux() && GetLimit(OpenFiles, out var files) == 0 ? files.Current : ulong.MaxValue);

    internal static long Of(ulong openFiles)
    {
        var files = (long)Math.Min(openFiles, 2 * Most);
        return Math.Clamp(Math.Min(files / 2, files - Kept), Least, Most);
    }

    /// <summary>The kernel's <c>struct rlimit</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        public ulong Current;
        public ulong Maximum;
    }

    [DllImport("libc", EntryPoint = "getrlimit"), DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int GetLimit(int resource, out Limit limit);
}
