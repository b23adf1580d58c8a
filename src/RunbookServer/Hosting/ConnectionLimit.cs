using System.Runtime.InteropServices;

namespace RunbookServer.Hosting;

/// <summary>
/// How many connections the host takes at once. Each is an open file; half of those that the system allows are kept for the
/// database, for messages and for what runbooks call, so that callers cannot use them up.
/// </summary>
internal static class ConnectionLimit
{
    private const long Most = 5_000;
    private const long Least = 32;
    private const int OpenFiles = 7;

    public static long Of() => Of(OperatingSystem.IsLinux() && GetLimit(OpenFiles, out var files) == 0 ? files.Current : ulong.MaxValue);

    internal static long Of(ulong openFiles) => Math.Clamp((long)Math.Min(openFiles / 2, (ulong)Most), Least, Most);

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
