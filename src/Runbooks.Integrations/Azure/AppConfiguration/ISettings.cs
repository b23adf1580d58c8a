namespace Runbooks.Integrations.Azure.AppConfiguration;

/// <summary>Small texts that are changed only where they are still what was read.</summary>
internal interface ISettings
{
    /// <summary>For people: what and where it is.</summary>
    string Words(SettingAddress address);

    /// <returns>Null when there is none.</returns>
    Task<Setting?> ReadAsync(SettingAddress address, CancellationToken cancellationToken);

    /// <param name="expected">What was there when it was read; null when there was nothing.</param>
    /// <returns>False: it has been changed since.</returns>
    /// <exception cref="StepRefusedException">It is locked, or the role is missing.</exception>
    Task<bool> WriteAsync(SettingAddress address, string value, string? contentType, Setting? expected, CancellationToken cancellationToken);

    /// <inheritdoc cref="WriteAsync"/>
    Task<bool> DeleteAsync(SettingAddress address, Setting expected, CancellationToken cancellationToken);
}
