namespace RunbookServer.Terminal;

/// <summary>Writes a file that is not there yet: what somebody has written is never overwritten.</summary>
internal static class NewFile
{
    /// <param name="other">How another file is named, in an error: <c>Name another file with --out.</c></param>
    /// <exception cref="CommandException">It is there, or cannot be written.</exception>
    public static void Write(string file, string text, string other)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
            using var created = new StreamWriter(new FileStream(file, FileMode.CreateNew));
            created.Write(text);
        }
        catch (IOException) when (File.Exists(file))
        {
            throw new CommandException($"{file} is there already and was left as it is. {other}");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{file} cannot be written: {failure.Message} {other}");
        }
    }
}
