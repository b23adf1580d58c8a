using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Benchmarks;

/// <summary>Servers in processes of their own; each benchmark compiles this file.</summary>
internal static class Processes
{
    public static Process Start(string program, params IEnumerable<string> arguments)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        return process;
    }

    public static TimeSpan UsedTime(this Process process)
    {
        process.Refresh();
        return process.TotalProcessorTime;
    }

    public static async Task EndAsync(this Process process)
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    /// <exception cref="InvalidOperationException">The process ended before it answered.</exception>
    public static async Task WhenAnswersAsync(HttpClient http, string path, Process process)
    {
        while (true)
        {
            try
            {
                using var health = await http.GetAsync(new Uri(path, UriKind.Relative));
                if (health.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (Exception e) when (e is HttpRequestException or SocketException or IOException)
            {
                // Not listening yet.
            }

            if (process.HasExited)
            {
                throw new InvalidOperationException($"{process.StartInfo.FileName} {string.Join(' ', process.StartInfo.ArgumentList)} ended with {process.ExitCode}.");
            }

            await Task.Delay(5);
        }
    }
}

/// <summary>Ports that nothing listens on.</summary>
internal static class Ports
{
    public static int Free()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
